import type { Artefact } from '../engine/loader.js';
import type { Value } from '../values/values.js';

/** An input or output as the model declares it. */
export interface ValueInfo {
  readonly name: string;
  /** An element type ("float32") or a composite one ("sequence(map(string,float32))"). */
  readonly type: string;
  /** A dimension is a number, a symbol's name, or null when nothing is known; absent when the rank is unknown. */
  readonly shape?: readonly (number | string | null)[];
  readonly optional?: boolean;
}

/** What the engine knows of a loaded model. */
export interface ModelDescription {
  readonly name: string;
  readonly producer: string;
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** How often each operator occurs; here, and in `nodes` and `weightBytes`, those in the bodies of nodes count, too. */
  readonly operators: Readonly<Record<string, number>>;
  /** What to know of a model that works all the same: an operator set newer than the engine, say. Sentences. */
  readonly warnings: readonly string[];
  readonly nodes: number;
  readonly weightBytes: number;
}

/** What a session runs on. */
export interface EngineInfo {
  readonly version: string;
  readonly artefact: Artefact;
  /** The threads that take part in runs; one that could not start is not counted. */
  readonly threads: number;
  /** Whether the session has a worker of its own. */
  readonly worker: boolean;
  /** How many workers it has, where it was loaded with several. */
  readonly workers?: number;
  readonly operators: number;
}

/** One step of the current plan. */
export interface Step {
  readonly node: string;
  readonly operator: string;
  /** The output, "float32[1,64,56,56]". */
  readonly shape: string;
  readonly flops: number;
  readonly bytes: number;
  readonly kernel: string;
  /** The outputs' names in the model; empty for one that the node leaves out. */
  readonly values: readonly string[];
}

/** A step that has been executed, with copies of its outputs. */
export interface TracedStep extends Step {
  readonly index: number;
  readonly outputs: readonly Value[];
}

export interface TimedStep extends Step {
  readonly milliseconds: number;
}

/** Where the time of one run went. */
export interface Profile {
  readonly milliseconds: number;
  readonly steps: readonly TimedStep[];
}

/**
 * Bytes in use; `heap` is all that is allocated now. `arena` holds intermediate results, of which `arenaBound` bytes are
 * alive at once; `scratch` is what operators need beside it while they run.
 */
export interface MemoryUse {
  readonly heap: number;
  readonly weights: number;
  readonly arena: number;
  readonly arenaBound: number;
  readonly scratch: number;
  readonly peak: number;
}
