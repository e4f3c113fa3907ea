// A model's bytes on their way into the engine, piece by piece: the whole file is never anywhere at once.

import type { Declaration } from '../api/custom.js';
import { tell, throwIfAborted } from '../api/errors.js';
import { type ByteStream, openSource, type Source } from '../download/fetch.js';
import type { WebAbortSignal } from '../host/host-types.js';
import type { LoadOptions } from './backend.js';
import { loadFlags } from './c-abi.js';
import { declare } from './custom-call.js';
import { type Engine, isTrap } from './engine.js';

/** Pieces pass through a block of this size. */
const blockBytes = 1 << 16;

/** A file that the model refers to for its weights, by the path it uses. */
export interface ExternalFile {
  path: string;
  data: ByteStream;
}

/** Opens a model and the files that it refers to. */
export async function openModel(
  model: Source,
  {
    externalData = {},
    signal,
  }: { externalData?: Readonly<Record<string, Source>>; signal?: WebAbortSignal | undefined },
): Promise<[ByteStream, ExternalFile[]]> {
  const external = Object.entries(externalData).map(async ([path, data]) => ({
    path,
    data: await openSource(`the external data "${path}"`, data, { signal }),
  }));
  return [await openSource('the model', model, { signal }), await Promise.all(external)];
}

/** The bytes of a model's files, as far as they are known before they are read. */
export function knownBytes(model: ByteStream, externalData: readonly ExternalFile[]): number {
  return [model, ...externalData.map(({ data }) => data)].reduce((sum, { total = 0 }) => sum + total, 0);
}

/** The engine's session of a model. */
export async function loadModel(
  engine: Engine,
  model: ByteStream,
  externalData: readonly ExternalFile[],
  options: LoadOptions,
  operators: readonly Declaration[] = [],
): Promise<number> {
  const given = await giveModel(engine, model, externalData, options, operators);
  return engine.checkPointer(engine.exports.nm_load(given, flagsOf(options)));
}

/** The flags of nm_load and nm_pack. */
export function flagsOf({ optimize }: LoadOptions): number {
  return optimize === false ? loadFlags.unoptimized : 0;
}

/** The engine's model, ONNX or packed, with all of its bytes. */
export async function giveModel(
  engine: Engine,
  model: ByteStream,
  externalData: readonly ExternalFile[],
  { limits, freeDimensions, signal, onProgress }: LoadOptions,
  operators: readonly Declaration[] = [],
): Promise<number> {
  const { exports } = engine;
  const block = engine.allocate(blockBytes, 'the model');
  let pointer = 0;
  try {
    pointer = engine.checkPointer(exports.nm_new_model(sizeHint(engine, model)));
    const { nm_limit, nm_dimension } = exports;
    setEach(engine, limits, (name, value) => nm_limit(pointer, name, value === Number.POSITIVE_INFINITY ? -1 : value));
    setEach(engine, freeDimensions, (name, value) => nm_dimension(pointer, name, value));
    declare(engine, pointer, operators);
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
        engine.checkCount(exports.nm_external_file(pointer, pathAt as number, sizeHint(engine, data))),
      );
      await give(data);
    }
    throwIfAborted(signal);
    tell(onProgress, 'onProgress', {
      phase: 'prepare',
      loaded,
      ...(model.total === undefined ? {} : { total: model.total }),
    });
    exports.nm_free(block);
    return pointer;
  } catch (error) {
    // Others may share the instance; after a trap nobody calls it again.
    if (!isTrap(error)) {
      exports.nm_free(block);
      exports.nm_free_model(pointer);
    }
    throw error;
  }
}

/** Gives the engine numbers by name. */
function setEach(engine: Engine, numbers: object = {}, set: (name: number, value: number) => number): void {
  for (const [name, value] of Object.entries(numbers) as [string, number | undefined][]) {
    if (value === undefined) continue;
    engine.with([engine.encode(name)], (nameAt) => engine.checkCount(set(nameAt as number, value)));
  }
}

/** As a size_t, in which 0 means unknown. */
function sizeHint({ mostBytes }: Engine, { total = 0 }: ByteStream): number {
  return Math.min(total, mostBytes);
}
