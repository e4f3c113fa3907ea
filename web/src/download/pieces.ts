/** A stream's pieces. Not a generator: that could not be stopped while it waits for one. */
export function piecesOf(stream: ReadableStream<Uint8Array>): AsyncIterableIterator<Uint8Array> {
  const reader = stream.getReader();
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
