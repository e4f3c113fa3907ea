// A download that breaks off goes on where it was.
import { untilAborted } from '../api/errors.js';
import { piecesOf } from './pieces.js';

/** Times to wait, one attempt after the other that brings nothing. */
const waits = [250, 1000, 3000];

/**
 * The pieces of a response, and of others that go on where it breaks off: if the server says what state the file is in,
 * and answers with the rest of that state. What cannot go on fails as it broke. `fetchRest` asks for a range; `total`
 * is the file's length.
 */
export function resumed(
  first: AsyncIterator<Uint8Array>,
  { headers }: Response,
  fetchRest: (range: { headers: Record<string, string> }) => Promise<Response>,
  total: number | undefined,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<Uint8Array> {
  const tag = headers.get('etag');
  // A weak tag is no promise that the bytes are the same. Ranges of what was compressed are not ranges of the file.
  const state = tag !== null && !tag.startsWith('W/') ? tag : headers.get('last-modified');
  const can = state !== null && !headers.has('content-encoding');
  let from = first;
  let loaded = 0;
  let failures = 0;
  let ended = false;

  const rest = async (): Promise<AsyncIterator<Uint8Array> | undefined> => {
    const wait = waits[failures++];
    if (wait === undefined) return undefined;
    await untilAborted(signal, new Promise((resolve) => setTimeout(resolve, wait)));
    const response = await fetchRest({ headers: { range: `bytes=${loaded}-`, 'if-range': state as string } }).catch(
      () => undefined,
    );
    // Without an answer the network may come back; any other answer than the rest is the last word.
    if (response === undefined) return rest();
    // Of a file of which nothing was read yet the whole will do.
    const { status, body } = response;
    const fits =
      status === 206
        ? response.headers.get('content-range')?.startsWith(`bytes ${loaded}-`)
        : response.ok && loaded === 0;
    if (fits && body !== null) return piecesOf(body, total);
    void body?.cancel();
    return undefined;
  };

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        try {
          const step = await from.next();
          if (step.done) return step;
          failures = 0;
          loaded += step.value.byteLength;
          return step;
        } catch (error) {
          const more = can && !signal?.aborted ? await rest() : undefined;
          if (more !== undefined) from = more;
          if (ended) void from.return?.();
          if (ended || more === undefined) throw error;
        }
      }
    },
    async return() {
      ended = true;
      void from.return?.();
      return { done: true, value: undefined };
    },
  };
}
