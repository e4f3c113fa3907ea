// A model's bytes on their way into the engine, piece by piece: the whole file is never anywhere at once.

import type { Limits, LoadOptions } from './backend.js';
import { loadFlags } from './c-abi.js';
import type { Engine } from './engine.js';
import { tell, throwIfAborted } from './errors.js';
import type { ByteStream } from './fetch.js';

/** Pieces pass through a block of this size. */
const blockBytes = 1 << 16;

/** The engine's session of a model. What a failure leaves in the engine goes with its instance. */
export async function loadModel(
  engine: Engine,
  model: ByteStream,
  externalData: readonly { path: string; data: ByteStream }[],
  { optimize, limits, signal, onProgress }: LoadOptions,
): Promise<number> {
  const { exports } = engine;
  const block = engine.allocate(blockBytes, 'the model');
  const pointer = engine.checkPointer(exports.nm_new_model(sizeHint(model)));
  setLimits(engine, pointer, limits);
  const give = async ({ pieces }: ByteStream) => {
    let given = 0;
    for await (const piece of pieces) {
      given += piece.byteLength;
      for (let at = 0; at < piece.byteLength; at += blockBytes) {
        const part = piece.subarray(at, at + blockBytes);
        engine.bytes(block, part.byteLength).set(part);
        engine.checkCount(exports.nm_model_bytes(pointer, block, part.byteLength));
      }
    }
    return given;
  };
  const loaded = await give(model);
  for (const { path, data } of externalData) {
    engine.with([engine.encode(path)], (pathAt) =>
      engine.checkCount(exports.nm_external_file(pointer, pathAt as number, sizeHint(data))),
    );
    await give(data);
  }
  exports.nm_free(block);
  throwIfAborted(signal);
  tell(onProgress, 'onProgress', {
    phase: 'prepare',
    loaded,
    ...(model.total === undefined ? {} : { total: model.total }),
  });
  return engine.checkPointer(exports.nm_load(pointer, optimize === false ? loadFlags.unoptimized : 0));
}

function setLimits(engine: Engine, model: number, limits: Limits = {}): void {
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    engine.with([engine.encode(name)], (nameAt) =>
      engine.checkCount(
        engine.exports.nm_limit(model, nameAt as number, value === Number.POSITIVE_INFINITY ? -1 : value),
      ),
    );
  }
}

/** As a size_t, in which 0 means unknown. */
function sizeHint({ total = 0 }: ByteStream): number {
  return Math.min(total, 0xffffffff);
}
