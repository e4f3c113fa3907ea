/** Pieces of longer streams come in one block: of 4.5 GB Chromium else held 600 MB that nobody had collected yet. */
const longBytes = 1 << 27;
const blockBytes = 1 << 20;

/**
 * A stream's pieces, each of them valid until the next is asked for; `total` is its length, as far as it is known. Not a
 * generator: that could not be stopped while it waits for one.
 */
export function piecesOf(stream: ReadableStream<Uint8Array>, total = 0): AsyncIterableIterator<Uint8Array> {
  const reader = (total > longBytes && blockReader(stream)) || stream.getReader();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const { done, value } = await reader.read();
      return done ? { done: true, value: undefined } : { done: false, value };
    },
    async return() {
      reader.cancel().catch(() => {});
      return { done: true, value: undefined };
    },
  };
}

function blockReader(stream: ReadableStream<Uint8Array>) {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: 'byob' });
  } catch {
    return undefined; // it is not a stream of bytes
  }
  let block = new ArrayBuffer(blockBytes);
  return {
    async read() {
      const { done, value } = await reader.read(new Uint8Array(block));
      if (value !== undefined) block = value.buffer;
      return { done, value } as ReadableStreamReadResult<Uint8Array>;
    },
    cancel: () => reader.cancel(),
  };
}
