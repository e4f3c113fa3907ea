// The messages between a RemoteBackend and its worker.

import type { CacheType } from '../api/cache-type.js';
import type { CustomNode, Declaration } from '../api/custom.js';
import type { EngineInfo, MemoryUse, ModelDescription, Profile, Step } from '../api/description.js';
import type { ErrorRecord } from '../api/errors.js';
import type { Progress } from '../download/fetch.js';
import type { KeptPart, Limits } from '../engine/backend.js';
import type { Elements } from '../engine/held.js';
import type { CancelFlag } from '../engine/local.js';
import type { StateForm, StateRecord } from '../stream/state.js';
import type { TensorLike } from '../values/tensor.js';
import type { KeptRecord } from '../values/values.js';
import type { KeptInputs, KeptOutputs } from './kept-numbers.js';

/** A source in a form that can be posted. */
export type PostableSource = string | Blob | Uint8Array;

/** Names travel in lists, not as properties: one may be "__proto__". */
export type Named<T> = readonly (readonly [name: string, value: T])[];

/** A custom operator's node and its inputs, in which tensors are TensorLikes. */
export interface ComputeCall {
  readonly node: Omit<CustomNode, 'attributes'>;
  readonly attributes: Named<unknown>;
  readonly inputs: readonly unknown[];
}

/** The calls, each with what it is given and what it returns. */
export interface Calls {
  /** The model's download begins at once; the engine follows in a message of its own, and another where it is asked for. */
  load: {
    given: {
      threads: number;
      source: PostableSource;
      externalData: Named<PostableSource>;
      optimize: boolean;
      limits: Limits;
      freeDimensions: Readonly<Record<string, number>>;
      /** Those that the page computes; undefined when it computes none. */
      operators: readonly Declaration[] | undefined;
      wantsProgress: boolean;
    };
    returns: { description: ModelDescription; engine: EngineInfo; cancelFlag: CancelFlag | undefined };
  };
  /** Values travel as structured clones, their tensors as TensorLikes; `kept` are tensors that stay in the worker. */
  run: {
    given: {
      feeds: Named<unknown>;
      kept: KeptInputs;
      fetch: readonly string[] | undefined;
      keep: readonly string[];
      cache: CacheType | undefined;
      abortable: boolean;
      wantsProfile: boolean;
      /** A stream's state; its form where the worker does not have it yet. */
      state: number | StateForm | undefined;
    };
    returns: { outputs: Named<unknown>; kept: KeptOutputs; state: StateRecord | undefined; profile?: Profile };
  };
  /** Puts a tensor into the engine, to stay, or a part of it. */
  keep: { given: { tensor: TensorLike | KeptRecord; part: KeptPart | undefined }; returns: KeptRecord };
  /** The tensors of a stream's state, which stay there. */
  partsOf: { given: { state: number; length: number | undefined }; returns: readonly KeptRecord[] };
  /** The elements of a tensor that stays in the worker. */
  read: { given: number; returns: Elements };
  steps: { given: null; returns: readonly Step[] };
  memory: { given: null; returns: MemoryUse };
}

export type CallName = keyof Calls;

export type Call = { [Name in CallName]: { id: number; call: Name; given: Calls[Name]['given'] } }[CallName];

export type Request =
  | Call
  /** The compiled engine. */
  | { id: number; call: 'engine'; module: WebAssembly.Module }
  /** Tensors that nobody wants any more. */
  | { id: number; call: 'drop'; kept: readonly number[] }
  /** What a custom operator of the run with that id has come to. */
  | ({ id: number; call: 'computed' } & ({ outputs: readonly unknown[] } | { failed: ErrorRecord }))
  /** Cancels the run with that id. */
  | { id: number; call: 'abort' };

export type Reply =
  | { id: number; returned: Calls[CallName]['returns'] }
  /** `fatal`: the session cannot go on. */
  | { id: number; failed: ErrorRecord; fatal: boolean }
  /** The page is to give the engine for a large model. */
  | { id: number; modelBytes: number }
  /** The page is to compute a custom operator. */
  | { id: number; compute: ComputeCall }
  | { id: number; progress: Progress };
