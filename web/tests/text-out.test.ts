// Text as it comes out of tokens: whole characters, and up to where it is to stop.
import { describe, expect, test } from 'vitest';
import { StopText } from '../src/generate/stop-text.js';
import { TextPieces } from '../src/generate/text-pieces.js';
import { encode } from '../src/generate/tokenizer.js';

/** Tokens are bytes. */
const bytes = {
  encode: (text: string) => [...new TextEncoder().encode(text)],
  decode: (ids: number[]) => new TextDecoder().decode(Uint8Array.from(ids)),
};
/** Tokens are words, with a space between two. */
const wordsOf = (words: string[]) => ({
  encode: () => [],
  decode: (ids: number[]) => ids.map((id) => words[id]).join(' '),
});

describe('pieces of text', () => {
  test('have whole characters only', () => {
    const pieces = new TextPieces(bytes);
    const text = 'aé🧠b';
    expect(bytes.encode(text).map((id) => pieces.add(id))).toEqual(['a', '', 'é', '', '', '', '🧠', 'b']);
    expect(pieces.end()).toBe('');
  });

  test('show at the end what never became a character', () => {
    const pieces = new TextPieces(bytes);
    expect([pieces.add(65), pieces.add(0xf0)]).toEqual(['A', '']);
    expect(pieces.end()).toBe('\ufffd');
  });

  test('have the spaces that stand between tokens, the prompt’s last one included', () => {
    const pieces = new TextPieces(wordsOf(['once', 'upon', 'a', 'time']), [0]);
    expect([1, 2, 3].map((id) => pieces.add(id))).toEqual([' upon', ' a', ' time']);
    const first = new TextPieces(wordsOf(['once', 'upon']));
    expect([0, 1].map((id) => first.add(id))).toEqual(['once', ' upon']);
  });

  test('make the whole text together, however long', () => {
    const text = 'Füße — 🧠 und 東京; '.repeat(40);
    const pieces = new TextPieces(bytes);
    expect(
      bytes
        .encode(text)
        .map((id) => pieces.add(id))
        .join('') + pieces.end(),
    ).toBe(text);
  });
});

describe('a stop text', () => {
  const through = (stops: string[], pieces: string[]) => {
    const stop = new StopText(stops);
    const shown = pieces.map((piece) => stop.add(piece));
    return [...shown, stop.found ? 'STOP' : stop.end()];
  };

  test('ends the text before it, wherever it is cut', () => {
    expect(through(['END'], ['one E', 'N', 'D two', 'x'])).toEqual(['one ', '', '', '', 'STOP']);
    expect(through(['b', 'abc'], ['xab', 'c'])).toEqual(['xa', '', 'STOP']);
    expect(through(['aab'], ['aa', 'ab'])).toEqual(['', 'a', 'STOP']);
  });

  test('holds back no more than may be its beginning', () => {
    expect(through(['\n\n'], ['a\n', 'b\n', 'c'])).toEqual(['a', '\nb', '\nc', '']);
    expect(through(['END'], ['the EN'])).toEqual(['the ', 'EN']);
    expect(through(['', 'x'], ['abc'])).toEqual(['abc', '']);
  });
});

test('a tokenizer may give ids of any kind, or an object that has them', () => {
  const of = (encoded: unknown) => encode({ encode: () => encoded as number[], decode: () => '' }, 'x');
  for (const ids of [[1, 2], [1n, 2n], Int32Array.of(1, 2), BigInt64Array.of(1n, 2n), { ids: [1, 2] }]) {
    expect(of(ids)).toEqual([1, 2]);
  }
});
