import type { EngineErrorCode } from '../engine/c-abi.js';

/** What kind of failure it was: one of the engine's, or one of this package's own. */
export type ErrorCode =
  | EngineErrorCode
  | 'download_failed'
  | 'engine_unavailable'
  | 'operator_failed'
  | 'session_closed';

/** The place of a failure; fields that do not apply are absent. */
export interface ErrorPlace {
  operator?: string;
  node?: string;
  input?: string;
  expected?: string;
  actual?: string;
}

const placeNames = ['operator', 'node', 'input', 'expected', 'actual'] as const;

/** Marks the errors of every copy of this package. */
const brand = Symbol.for('neuromancer.error');

/**
 * The only error this package throws. `message` is one sentence that names the thing and the remedy. `instanceof` holds
 * for the errors of other copies of the package too: two bundles on a page, a worker's and its page's.
 */
export class NeuromancerError extends Error implements ErrorPlace {
  readonly code: ErrorCode;
  declare readonly operator?: string;
  declare readonly node?: string;
  declare readonly input?: string;
  declare readonly expected?: string;
  declare readonly actual?: string;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    // Code that knows only the web's convention tests for this name.
    this.name = code === 'cancelled' ? 'AbortError' : 'NeuromancerError';
    this.code = code;
    for (const name of placeNames) {
      if (place[name] !== undefined) Object.assign(this, { [name]: place[name] });
    }
    Object.defineProperty(this, brand, { value: true });
  }

  /** The plain record from which `fromRecord` makes an equal error in another thread. */
  toRecord(): ErrorRecord {
    const record: ErrorRecord = { code: this.code, message: this.message };
    for (const name of placeNames) {
      if (this[name] !== undefined) record[name] = this[name];
    }
    return record;
  }

  static fromRecord({ code, message, ...place }: ErrorRecord): NeuromancerError {
    return new NeuromancerError(code, message, place);
  }
}

Object.defineProperty(NeuromancerError, Symbol.hasInstance, {
  value: function isInstance(this: unknown, value: unknown): boolean {
    // A class made of this one is told apart in the ordinary way.
    if (this !== NeuromancerError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && brand in value;
  },
});

export interface ErrorRecord extends ErrorPlace {
  code: ErrorCode;
  message: string;
}

/** Throws a `cancelled` error when the signal has fired. @internal */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/** @internal */
export function cancelled(signal: AbortSignal): NeuromancerError {
  return new NeuromancerError('cancelled', 'The call was cancelled by its AbortSignal.', {}, signal.reason);
}

/** @internal */
export function sessionClosed(why: string): NeuromancerError {
  return new NeuromancerError('session_closed', `This session ${why}; load the model again.`);
}

/** A message that was written to be embedded in others, so that it stands alone. @internal */
export function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`;
}

/** The error itself when it is ours, else one of `code` that says what was being done. */
export function asNeuromancerError(error: unknown, code: ErrorCode, doing: string): NeuromancerError {
  if (error instanceof NeuromancerError) return error as NeuromancerError;
  const reason = error instanceof Error ? error.message : String(error);
  // Every JavaScript engine says in its own words that it could not make an array.
  const memory = error instanceof RangeError && /alloc|memory|array length/i.test(reason);
  return new NeuromancerError(memory ? 'out_of_memory' : code, `${doing}: ${reason}`, {}, error);
}

const fatal = new WeakSet<NeuromancerError>();

/** The same error, marked as one after which its session cannot go on. */
export function markFatal(error: NeuromancerError): NeuromancerError {
  fatal.add(error);
  return error;
}

export function isFatal(error: unknown): boolean {
  return fatal.has(error as NeuromancerError);
}

/** What a call returns or rejects with, every rejection a NeuromancerError. */
export async function coded<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asNeuromancerError(error, 'internal', doing);
  }
}

/**
 * Calls a caller's function for a piece of news. What it throws is reported and goes no further: it says nothing about
 * the call that the news was of.
 */
export function tell<News>(listener: ((news: News) => void) | undefined, option: string, news: News): void {
  const report = (error: unknown) => console.error(`neuromancer: the function given as "${option}" threw`, error);
  try {
    const returned: unknown = listener?.(news);
    // An async function fails later; nobody else would catch that, and it would end a Node process.
    if (returned instanceof Promise) returned.catch(report);
  } catch (error) {
    report(error);
  }
}

/** The call's result, or an error as soon as the signal fires; the call itself is not told. @internal */
export function untilAborted<T>(signal: AbortSignal | undefined, call: Promise<T>): Promise<T> {
  if (signal === undefined) return call;
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled(signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
