// The messages between a RemoteBackend and its worker.
import type { EngineInfo, MemoryUse, ModelDescription, Profile, Step } from './description.js';
import type { ErrorRecord } from './errors.js';
import type { Progress } from './fetch.js';

/** A source in a form that can be posted. */
export type PostableSource = string | Blob | Uint8Array;

/** The calls, each with what it is given and what it returns. */
export interface Calls {
  load: {
    given: {
      module: WebAssembly.Module;
      threads: number;
      source: PostableSource;
      externalData: Record<string, PostableSource>;
      optimize: boolean;
      wantsProgress: boolean;
    };
    returns: { description: ModelDescription; engine: EngineInfo };
  };
  /** Values travel as structured clones, their tensors as TensorLikes. */
  run: {
    given: { feeds: Record<string, unknown>; abortable: boolean; wantsProfile: boolean };
    returns: { outputs: Record<string, unknown>; profile?: Profile };
  };
  steps: { given: null; returns: readonly Step[] };
  memory: { given: null; returns: MemoryUse };
  release: { given: null; returns: null };
}

export type CallName = keyof Calls;

export type Request =
  | { [Name in CallName]: { id: number; call: Name; given: Calls[Name]['given'] } }[CallName]
  /** Cancels the run with that id. */
  | { id: number; call: 'abort' };

export type Reply =
  | { id: number; returned: Calls[CallName]['returns'] }
  | { id: number; failed: ErrorRecord }
  | { id: number; progress: Progress };
