import type { EngineInfo, MemoryUse, ModelDescription, Profile, Step } from './description.js';
import type { Progress, Source } from './fetch.js';
import type { EngineOptions } from './loader.js';
import type { Tensor } from './tensor.js';
import type { Value } from './values.js';

/** By the inputs' names; optional ones may be absent. */
export type Feeds = ReadonlyMap<string, Value>;
/** By the outputs' names; what the model left out is absent. */
export type Values = Record<string, Value>;
/** The outputs of a model that has tensors only. */
export type Outputs = Record<string, Tensor>;

export interface RunOptions {
  /** Stops the run before its next step; the promise then rejects with code "cancelled". */
  signal?: AbortSignal;
  /** Receives the time of each step. */
  profile?: (profile: Profile) => void;
  /**
   * "copy" (the default): outputs are yours. "view": numeric outputs lie in the engine's memory, without a copy, and
   * are valid until the next call on this session; not available in worker mode.
   */
  outputs?: 'copy' | 'view';
}

export interface LoadOptions extends EngineOptions {
  signal?: AbortSignal;
  /** Told while the model downloads. */
  onProgress?: (progress: Progress) => void;
  /** Files that the model refers to for its weights, by the path it uses. */
  externalData?: Readonly<Record<string, Source>>;
  /** Skips graph optimisation when false. */
  optimize?: boolean;
  /** Runs the session in a module worker of its own, so that the page stays responsive. */
  worker?: boolean;
}

/** Where a session's work happens: in this thread (LocalBackend) or in a worker (RemoteBackend). */
export interface Backend {
  readonly description: ModelDescription;
  readonly engine: EngineInfo;
  run(feeds: Feeds, options: RunOptions): Promise<Values>;
  steps(): Promise<readonly Step[]>;
  memory(): Promise<MemoryUse>;
  release(): Promise<void>;
}
