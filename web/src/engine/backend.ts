import type { CacheType } from '../api/cache-type.js';
import type { CustomOperator } from '../api/custom.js';
import type { EngineInfo, MemoryUse, ModelDescription, Profile, Step, TracedStep } from '../api/description.js';
import type { Progress, Source } from '../download/fetch.js';
import type { WebAbortSignal } from '../host/host-types.js';
import type { State } from '../stream/state.js';
import type { Tensor } from '../values/tensor.js';
import type { Value } from '../values/values.js';
import type { Home } from './held.js';
import type { EngineOptions } from './loader.js';

/** By the inputs' names; optional ones may be absent. */
export type Feeds = ReadonlyMap<string, Value>;
/** By the outputs' names; what the model left out is absent. */
export type Values = Record<string, Value>;
/** The outputs of a model that has tensors only. */
export type Outputs = Record<string, Tensor>;

export interface RunOptions {
  /** Stops the run; the promise then rejects with code "cancelled". */
  signal?: WebAbortSignal;
  /** Receives the time of each step. */
  profile?: (profile: Profile) => void;
  /** Receives each step with its values, to look into a model; not available in worker mode. */
  trace?: (step: TracedStep) => void;
  /**
   * "copy" (the default): outputs are yours. "view": numeric outputs lie in the engine's memory, without a copy, and
   * are valid until the next call on this session; not available in worker mode.
   */
  outputs?: 'copy' | 'view';
  /**
   * The outputs that are wanted, `*` standing for any part of a name; what the others alone need is not computed. By
   * default all. An empty list, without `keep`, computes all and returns nothing.
   */
  fetch?: readonly string[];
  /**
   * Outputs that stay in the engine, named like those of `fetch` and wanted beside them: their tensors have the location
   * "engine", can be inputs of this session's next runs without a copy, and are to be disposed.
   */
  keep?: readonly string[];
  /** How caches among them are stored. */
  cache?: CacheType;
  /**
   * Gives the inputs' arrays to the session's worker, in place of copies: they are empty as soon as `run` is called. One that
   * is a part of a larger buffer, or shares its memory, is copied all the same, and so are all without a worker.
   */
  transfer?: boolean;
}

/** The first positions of a tensor along one of its axes. */
export interface KeptPart {
  axis: number;
  length: number;
}

/** What a model may use; more than that is refused with the code "limit_exceeded". Infinity is no limit. */
export interface Limits {
  /** Memory of tensors and of what holds them. */
  bytes?: number;
  /** Nodes, after functions are expanded. */
  nodes?: number;
  /** How deep graphs may lie in graphs. */
  nesting?: number;
  /** Rounds of loops in one run. */
  rounds?: number;
  /** Bytes of strings and sequences. */
  textBytes?: number;
}

export interface LoadOptions extends EngineOptions {
  signal?: WebAbortSignal;
  /** Told while the model downloads. */
  onProgress?: (progress: Progress) => void;
  /** Files that the model refers to for its weights, by the path it uses. */
  externalData?: Readonly<Record<string, Source>>;
  /**
   * Numbers for dimensions that the model leaves open, by the names that it gives them: all of its runs are of these sizes,
   * and what follows from them is worked out while it loads.
   */
  freeDimensions?: Readonly<Record<string, number>>;
  /** Skips graph optimisation when false. */
  optimize?: boolean;
  /** Operators that the engine does not have, computed by functions of yours. */
  operators?: readonly CustomOperator[];
  /** Bounds on what the model may use; by default those that suit a page. */
  limits?: Limits;
  /**
   * Puts the session into one instance of the engine together with all others in this thread that are loaded so: each costs
   * its weights and little more, and between runs it holds neither arena nor inputs, which suits hundreds of small models in
   * a process. They are not kept apart: a trap in one, which is a defect of the engine, ends all of them, and together they
   * have 4 GB. Views among outputs last until any of them is called. Not with `worker`, `workers` or `limits.bytes`.
   */
  shared?: boolean;
  /**
   * Runs the session in a module worker of its own, so that the page stays responsive. Where a host has no workers
   * (shared and service workers, worklets), the session runs in the calling thread, and `session.engine.worker` says so.
   */
  worker?: boolean;
  /**
   * That many module workers, each with a copy of the model: runs of the session go on beside each other, each in a worker
   * that is free. Outputs cannot stay in the engine then. `threads` are those of one worker, by default the processors
   * divided by the workers.
   */
  workers?: number;
}

/** What a run has come to. */
export interface Ran {
  readonly outputs: Values;
  /** Of a stream's run. */
  readonly state: State | undefined;
}

/** A run's inputs when the session has taken them; null when they are in the engine already. */
export type Taken = Feeds | null;

/** Where a session's work happens: in this thread (LocalBackend) or in a worker (RemoteBackend). */
export interface Backend {
  readonly description: ModelDescription;
  readonly engine: EngineInfo;
  /** Where kept values are. */
  readonly home: Home;
  /**
   * Takes the inputs at the moment of the call: what the caller does with them afterwards changes nothing. `idle` says
   * that the run comes next, so that they can go into the engine at once; `transfer` that their arrays may be taken away.
   */
  take(feeds: Feeds, idle: boolean, transfer?: boolean, state?: State): Taken;
  /** The caller holds the state until the run has ended. */
  run(taken: Taken, options: RunOptions, state?: State): Promise<Ran>;
  /** Puts a tensor, or a part of it, where kept values are. */
  keep(tensor: Tensor, part: KeptPart | undefined): Promise<Tensor>;
  /** A state's tensors, which stay where they are; with a length, only their first positions. */
  partsOf(state: State, length: number | undefined): Promise<Tensor[]>;
  steps(): Promise<readonly Step[]>;
  memory(): Promise<MemoryUse>;
  /** Ends the session and what runs in it. `why` says what happened to it. */
  release(why: string): void;
}
