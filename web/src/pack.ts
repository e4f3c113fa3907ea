// A model's packed form: what the engine has made of an ONNX file, as a file that loads without that work.

import { type CustomOperator, customOf } from './api/custom.js';
import { coded, throwIfAborted } from './api/errors.js';
import { checkOptions, type OptionRules } from './api/names.js';
import { isSource, type Source } from './download/fetch.js';
import type { Limits } from './engine/backend.js';
import { packFlags } from './engine/c-abi.js';
import { readValues } from './engine/exchange.js';
import { instantiate } from './engine/instance.js';
import { flagsOf, giveModel, openModel } from './engine/load-model.js';
import { loadModule } from './engine/loader.js';
import { filesBeside } from './files-beside.js';
import type { WebAbortSignal } from './host/host-types.js';
import type { Tensor } from './values/tensor.js';

export type { ErrorCode, ErrorPlace } from './api/errors.js';
export { NeuromancerError } from './api/errors.js';
export type { Source } from './download/fetch.js';

export interface PackOptions {
  /** The engine's .wasm file, when it is not the one beside this package. */
  wasm?: Source;
  /** Files that the model refers to for its weights, by the path it uses. */
  externalData?: Readonly<Record<string, Source>>;
  /** Numbers for dimensions that the model leaves open, by the names that it gives them: `{ batch: 1 }`. */
  dimensions?: Readonly<Record<string, number>>;
  /**
   * How float32 weights are stored: as they are, as halves, as integers of 8 bits with a scale for each channel, or, those
   * of products, in blocks of 4 bits, which stay as small in memory and are multiplied as integers. The file is smaller by
   * some half, three quarters or five sixths at most, and results are others: `accuracy` of `neuromancer/compare` says how far.
   */
  weights?: 'float32' | 'float16' | 'int8' | 'int4';
  /** Leaves out the names of values and nodes inside the model, which errors and `session.steps()` show. */
  strip?: boolean;
  limits?: Limits;
  /** Operators that the engine does not have; they are computed where the model runs, which is given them again. */
  operators?: readonly CustomOperator[];
  /** Skips graph optimisation when false. */
  optimize?: boolean;
  signal?: WebAbortSignal;
}

/**
 * The bytes of the model's packed form, which `Session.load` takes like an ONNX file. Every build of this version reads
 * them, whichever wrote them; another version may ask to pack again.
 */
export function pack(model: Source, options: PackOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  return coded('Packing the model failed', async () => {
    checkOptions('pack', options, packRules);
    const { externalData = {}, signal } = options;
    throwIfAborted(signal);
    const wasm = options.wasm ?? ((await filesBeside.engine('wasm')) as URL);
    const { engine } = await instantiate(await loadModule({ wasm }, 1, signal), 1);
    const files = await openModel(model, { externalData, signal });
    const load = { ...options, freeDimensions: options.dimensions ?? {} };
    const given = await giveModel(engine, ...files, load, customOf(options.operators)?.declarations);
    const { weights = 'float32' } = options;
    const flags =
      flagsOf(options) + (options.strip ? packFlags.stripped : 0) + (weights === 'float32' ? 0 : packFlags[weights]);
    const value = engine.checkPointer(engine.exports.nm_pack(given, flags));
    const [packed] = readValues(engine, [value], 'copy') as [Tensor];
    return packed.data as Uint8Array<ArrayBuffer>; // the rest goes with the instance
  });
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

const packRules: OptionRules = {
  dimensions: ['an object of numbers by name', isObject],
  externalData: ['an object of sources by path', isObject],
  limits: ['an object of numbers', isObject],
  operators: ['an array of custom operators', Array.isArray],
  optimize: ['true or false', (value) => typeof value === 'boolean'],
  signal: ['an AbortSignal', isObject],
  strip: ['true or false', (value) => typeof value === 'boolean'],
  weights: [
    '"float32", "float16", "int8" or "int4"',
    (value) => ['float32', 'float16', 'int8', 'int4'].includes(value as string),
  ],
  wasm: ['a URL, bytes or a Response', isSource],
};
