// onnxruntime-common's `env`: what of it has a meaning for this engine, and what stands in it once a session was asked for.
import type { Env } from 'onnxruntime-common';
import type { Profile } from '../api/description.js';
import { plainly } from '../api/names.js';
import type { LoadOptions } from '../engine/backend.js';
import { threadCount } from '../engine/instance.js';

/** What this engine takes beside onnxruntime's settings, in `env.neuromancer`. */
export interface NeuromancerFlags extends Pick<LoadOptions, 'artefact' | 'wasm' | 'limits' | 'operators'> {
  /** Receives the runs between `startProfiling` and `endProfiling`; without it a summary goes to the console. */
  onProfile?: (profiles: readonly Profile[]) => void;
}

const mostThreads = 64;

/** Gives the settings that are absent or unusable the values that then hold, as onnxruntime-web does. */
export function settle({ wasm }: Env): void {
  if (typeof wasm.initTimeout !== 'number' || wasm.initTimeout < 0) wasm.initTimeout = 0;
  if (typeof wasm.proxy !== 'boolean') wasm.proxy = false;
  if (typeof wasm.trace !== 'boolean') wasm.trace = false;
  if (wasm.simd !== undefined && typeof wasm.simd !== 'boolean' && !['fixed', 'relaxed'].includes(wasm.simd)) {
    console.warn(`neuromancer/ort: env.wasm.simd is ${plainly(wasm.simd)}, which is no setting; it is false now.`);
    wasm.simd = false;
  }
  if (!isCount(wasm.numThreads)) wasm.numThreads = threadCount({});
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0;
}

/** The options of the core for a session that is created now. */
export function engineOptions(env: Env, threads: number | undefined): LoadOptions {
  const { artefact, wasm, limits, operators } = flags(env);
  const count = isCount(threads) ? threads : env.wasm.numThreads;
  return {
    ...(artefact === undefined ? {} : { artefact }),
    ...(wasm === undefined ? {} : { wasm }),
    ...(limits === undefined ? {} : { limits }),
    ...(operators === undefined ? {} : { operators }),
    ...(isCount(count) ? { threads: Math.min(count, mostThreads) } : {}),
    worker: env.wasm.proxy === true,
  };
}

export function flags(env: Env): NeuromancerFlags {
  return (env.neuromancer ?? {}) as NeuromancerFlags;
}
