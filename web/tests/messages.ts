import { serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { vi } from 'vitest';

interface Emitter {
  emit(event: string, message: unknown): boolean;
}

/** Counts the bytes of messages to and from workers. */
export function messageBytes() {
  let total = 0;
  const { postMessage, emit } = Worker.prototype;
  const post = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, message, transfer) {
    total += serialize(message).byteLength;
    postMessage.call(this, message, transfer);
  });
  const receive = vi.spyOn(Worker.prototype as unknown as Emitter, 'emit').mockImplementation(function (
    this: Emitter,
    event,
    message,
  ) {
    if (event === 'message') total += serialize(message).byteLength;
    return (emit as Emitter['emit']).call(this, event, message);
  });
  const stop = () => {
    post.mockRestore();
    receive.mockRestore();
  };
  return { bytes: () => total, stop };
}
