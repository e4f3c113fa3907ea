// Where a session's files come from: the model, and the weights that it keeps in files of their own.
import type { InferenceSession } from 'onnxruntime-common';
import { openSource, type Source } from '../download/fetch.js';
import { baseUrl, isNode, nodeModule } from '../host/host.js';

/** A path is one in Node, where "a#b.onnx" and "C:\\model.onnx" are names of files; elsewhere it is a URL. */
export function modelSource(from: string | Uint8Array): Source {
  if (typeof from !== 'string' || !isNode || /^[a-z][a-z\d+.-]+:/i.test(from)) return from;
  return nodeModule<{ pathToFileURL(path: string): URL }>('node:url').pathToFileURL(from);
}

/** The external data that the caller gives, by the path that the model uses. */
export function givenFiles({ externalData = [] }: InferenceSession.SessionOptions): Record<string, Source> {
  return Object.fromEntries(
    externalData.map((file) => {
      if (typeof file !== 'string') return [file.path.replace(/^\.\//, ''), sourceOf(file.data)];
      // A model names its files relative to itself: of an address or an absolute path that is the last part.
      const whole = /^([a-z][a-z\d+.-]*:|[\\/])/i.test(file);
      return [whole ? (file.split(/[\\/]/).at(-1) as string) : file.replace(/^\.\//, ''), modelSource(file)];
    }),
  );
}

function sourceOf(data: string | Exclude<Source, string>): Source {
  return typeof data === 'string' ? modelSource(data) : data;
}

/**
 * The files beside a model that it names and nobody gave. The model is a stranger's: only names that stay in its folder
 * are looked for.
 */
export async function dataBeside(model: Source, given: Record<string, Source>): Promise<Record<string, Source>> {
  if (typeof model !== 'string' && !(model instanceof URL)) return {};
  const folder = new URL('.', new URL(model, baseUrl()));
  const names = [...(await namedFiles(model))].filter((name) => !Object.hasOwn(given, name));
  return Object.fromEntries(names.filter(staysInside).map((name) => [name, new URL(encodePath(name), folder)]));
}

function staysInside(name: string): boolean {
  return !/^[\\/]|:/.test(name) && !name.split(/[\\/]/).includes('..');
}

function encodePath(name: string): string {
  return `./${name.split('/').map(encodeURIComponent).join('/')}`;
}

/** How a TensorProto's entry of external data begins that says where: the key "location", then the value's tag. */
const mark = Uint8Array.of(0x0a, 8, ...new TextEncoder().encode('location'), 0x12);

/** Longer names than this are no names of files. */
const longestName = 1000;

/**
 * The names that a model gives as the places of its data. The bytes are searched, not parsed: what looks like a name
 * and is none leads to a file that is not there.
 */
async function namedFiles(model: Source): Promise<Set<string>> {
  const names = new Set<string>();
  let rest = new Uint8Array();
  for await (const piece of (await openSource('the model', model)).pieces) {
    const bytes = new Uint8Array(rest.length + piece.length);
    bytes.set(rest);
    bytes.set(piece, rest.length);
    for (let at = bytes.indexOf(mark[0] as number); at >= 0; at = bytes.indexOf(mark[0] as number, at + 1)) {
      const name = nameAt(bytes, at);
      if (name !== undefined) names.add(name);
    }
    // What begins here and ends in the next piece is found then.
    rest = bytes.slice(-(mark.length + longestName + 2));
  }
  return names;
}

function nameAt(bytes: Uint8Array, at: number): string | undefined {
  if (!mark.every((byte, i) => bytes[at + i] === byte)) return undefined;
  const start = at + mark.length;
  const [low = 0, high = 0] = bytes.subarray(start, start + 2);
  const [length, from] = low < 128 ? [low, start + 1] : [(low & 127) + high * 128, start + 2];
  if (length === 0 || length > longestName || from + length > bytes.length) return undefined;
  return new TextDecoder().decode(bytes.subarray(from, from + length));
}
