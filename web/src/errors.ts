/** What kind of failure it was. The first group comes from the engine, the last three from this package. */
export type ErrorCode =
  | 'invalid_model'
  | 'unsupported_operator'
  | 'invalid_argument'
  | 'missing_input'
  | 'type_mismatch'
  | 'shape_mismatch'
  | 'out_of_memory'
  | 'cancelled'
  | 'invalid_data'
  | 'internal'
  | 'download_failed'
  | 'engine_unavailable'
  | 'session_closed';

/** The place of a failure; fields that do not apply are absent. */
export interface ErrorPlace {
  operator?: string;
  node?: string;
  input?: string;
  expected?: string;
  actual?: string;
}

/** The only error this package throws. `message` is one sentence that names the thing and the remedy. */
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
    Object.assign(this, place);
  }

  /** The plain record from which `fromRecord` makes an equal error in another thread. */
  toRecord(): ErrorRecord {
    const { code, message, operator, node, input, expected, actual } = this;
    const place = Object.entries({ operator, node, input, expected, actual }).filter(([, text]) => text !== undefined);
    return { code, message, ...Object.fromEntries(place) };
  }

  static fromRecord({ code, message, ...place }: ErrorRecord): NeuromancerError {
    return new NeuromancerError(code, message, place);
  }
}

export interface ErrorRecord extends ErrorPlace {
  code: ErrorCode;
  message: string;
}

/** Throws a `cancelled` error when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

export function cancelled(signal: AbortSignal): NeuromancerError {
  return new NeuromancerError('cancelled', 'The call was cancelled by its AbortSignal.', {}, signal.reason);
}

/** The error itself when it is ours, else one of `code` that says what was being done. */
export function asNeuromancerError(error: unknown, code: ErrorCode, doing: string): NeuromancerError {
  if (error instanceof NeuromancerError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new NeuromancerError(code, `${doing}: ${reason}`, {}, error);
}
