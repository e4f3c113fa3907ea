// The tokenizer of the small story model: pieces with scores, joined the highest score first, as SentencePiece does it.
import { readFileSync } from 'node:fs';

const [beginning, end] = [1, 2];

export function storiesTokenizer(file: URL) {
  const bytes = readFileSync(file);
  const pieces: { text: string; score: number; byte: number | undefined }[] = [];
  for (let at = 4; at < bytes.length; ) {
    const [score, length] = [bytes.readFloatLE(at), bytes.readInt32LE(at + 4)];
    const text = bytes.toString('utf8', at + 8, at + 8 + length);
    const byte = /^<0x(..)>$/.exec(text)?.[1];
    pieces.push({ text, score, byte: byte === undefined ? undefined : Number.parseInt(byte, 16) });
    at += 8 + length;
  }
  const ids = new Map(pieces.map(({ text }, id) => [text, id]));

  function encode(text: string, { add_special_tokens: special = true } = {}): { ids: number[] } {
    let list = [...` ${text}`].flatMap((character) => {
      const id = ids.get(character);
      return id === undefined ? [...Buffer.from(character)].map((byte) => byte + 3) : [id];
    });
    for (;;) {
      let best = { score: Number.NEGATIVE_INFINITY, at: -1, id: -1 };
      for (let at = 0; at + 1 < list.length; at++) {
        const joined = `${pieces[list[at] as number]?.text}${pieces[list[at + 1] as number]?.text}`;
        const id = ids.get(joined);
        const score = id === undefined ? Number.NEGATIVE_INFINITY : (pieces[id]?.score as number);
        if (id !== undefined && score > best.score) best = { score, at, id };
      }
      if (best.at < 0) return { ids: special ? [beginning, ...list] : list };
      list = [...list.slice(0, best.at), best.id, ...list.slice(best.at + 2)];
    }
  }

  function decode(list: number[]): string {
    const parts = list
      .filter((id) => id > end)
      .map((id) => pieces[id] as (typeof pieces)[number])
      .map(({ text, byte }) => (byte === undefined ? Buffer.from(text) : Buffer.of(byte)));
    return Buffer.concat(parts)
      .toString('utf8')
      .replace(list[0] === beginning ? /^ / : '', '');
  }

  return { encode, decode };
}
