import { asNeuromancerError, cancelled, NeuromancerError, tell, throwIfAborted, untilAborted } from '../api/errors.js';
import { plainly } from '../api/names.js';
import { baseUrl, fileStream, isNode, kindOf } from '../host/host.js';
import type { WebAbortSignal, WebBlob, WebResponse, WebUrl } from '../host/host-types.js';
import { piecesOf } from './pieces.js';
import { resumed } from './resume.js';

/** Where bytes come from: a URL (in Node also a file: URL or a path), the bytes themselves, or a Response or Blob. */
export type Source = string | WebUrl | ArrayBufferLike | ArrayBufferView | WebResponse | WebBlob;

// Asked by their kind, not by `instanceof`: objects of another frame or vm context are as good, and the mere mention of
// Response makes Node load its whole HTTP client.
const isBuffer = (source: unknown): source is ArrayBuffer => /^(Shared)?ArrayBuffer$/.test(kindOf(source));
const isResponse = (source: unknown): source is Response => kindOf(source) === 'Response';
/** @internal */
export const isBlob = (source: unknown): source is Blob => /^(Blob|File)$/.test(kindOf(source));
/** @internal */
export const isAddress = (source: unknown): source is string | URL =>
  typeof source === 'string' || kindOf(source) === 'URL';

export function isSource(source: unknown): source is Source {
  return isAddress(source) || isBuffer(source) || ArrayBuffer.isView(source) || isBlob(source) || isResponse(source);
}

/** Bytes received so far; `total` is absent when the server did not say. */
export interface Progress {
  /** "model" while its bytes arrive, "prepare" when they are there and the engine optimises it. */
  phase: 'model' | 'prepare';
  loaded: number;
  total?: number;
}

export interface FetchOptions {
  signal?: WebAbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Bytes on their way: how many there will be, where that is known, and the pieces that they come in, each of them valid until
 * the next is asked for.
 */
export interface ByteStream {
  readonly total: number | undefined;
  readonly pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** One that somebody has to close who does not read it to its end. */
export interface OpenStream extends ByteStream {
  close(): void;
}

/**
 * A source whose first bytes are there; the rest come as its pieces are asked for. A failure, then too, names the URL
 * and the HTTP status. `what` says what was wanted: "the model".
 */
export async function openSource(what: string, source: Source, options: FetchOptions = {}): Promise<OpenStream> {
  throwIfAborted(options.signal);
  try {
    const { total, pieces } = await open(what, source, options.signal);
    const from: Pieces = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
    return { total, pieces: watched(what, total, from, options), close: () => void from.return?.() };
  } catch (error) {
    throw readError(what, error, options.signal);
  }
}

/** All bytes of a source, in memory of their own. */
export async function readSource(what: string, source: Source, options: FetchOptions = {}): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await openSource(what, source, options)).pieces) pieces.push(piece.slice());
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : concatenate(pieces);
}

async function open(what: string, source: Source, signal: AbortSignal | undefined): Promise<ByteStream> {
  if (isBuffer(source)) return { total: source.byteLength, pieces: [new Uint8Array(source)] };
  if (ArrayBuffer.isView(source)) {
    const bytes = new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
    return { total: bytes.byteLength, pieces: [bytes] };
  }
  if (isBlob(source)) return { total: source.size, pieces: piecesOf(source.stream(), source.size) };
  if (isResponse(source)) return openBody(what, source);
  if (!isAddress(source)) {
    throw new NeuromancerError(
      'invalid_argument',
      `${capital(what)} must be given as a URL, an ArrayBuffer, a typed array, a Response or a Blob, not ${plainly(source)}.`,
      { expected: 'a URL, an ArrayBuffer, a typed array, a Response or a Blob', actual: plainly(source) },
    );
  }
  const url = resolveUrl(what, source);
  if (url.protocol === 'file:' && isNode) return openFile(what, url);
  const response = await fetchUrl(what, url, signal);
  const { total, pieces } = openBody(what, response);
  return {
    total,
    pieces: resumed(pieces, response, (range) => fetch(url, { ...range, ...(signal && { signal }) }), total, signal),
  };
}

type Pieces = AsyncIterator<Uint8Array> | Iterator<Uint8Array>;

/** Passes pieces on, tells of progress, and gives failures their names. */
async function* watched(
  what: string,
  total: number | undefined,
  from: Pieces,
  { signal, onProgress }: FetchOptions,
): AsyncGenerator<Uint8Array> {
  let loaded = 0;
  try {
    for (;;) {
      // A server that has gone silent must not keep the caller: not every stream ends with its request's signal.
      const { done, value } = await untilAborted(signal, Promise.resolve(from.next()));
      if (done) return;
      if (!ArrayBuffer.isView(value)) throw new TypeError(`a piece of the stream is ${plainly(value)}, not bytes`);
      loaded += value.byteLength;
      tell(onProgress, 'onProgress', { phase: 'model', loaded, ...(total === undefined ? {} : { total }) });
      throwIfAborted(signal);
      yield value;
    }
  } catch (error) {
    throw readError(what, error, signal);
  } finally {
    // Whoever stops early wants no more of the download.
    from.return?.();
  }
}

function readError(what: string, error: unknown, signal: AbortSignal | undefined): NeuromancerError {
  if (signal?.aborted) return cancelled(signal);
  return asNeuromancerError(error, 'download_failed', `Reading ${what} failed`);
}

/** @internal */
export function resolveUrl(what: string, source: string | URL): URL {
  try {
    return new URL(source, baseUrl());
  } catch (cause) {
    throw new NeuromancerError(
      'invalid_argument',
      `${capital(what)} was to be read from "${String(source)}", which is not a valid URL here; pass an absolute URL or bytes.`,
      {},
      cause,
    );
  }
}

async function openFile(what: string, url: URL): Promise<ByteStream> {
  try {
    return await fileStream(url);
  } catch (cause) {
    throw new NeuromancerError(
      'download_failed',
      `${capital(what)} could not be read from ${url.href}: ${(cause as Error).message}`,
      {},
      cause,
    );
  }
}

/** A successful response for the URL, or an error that says what came instead. @internal */
export async function fetchUrl(what: string, url: URL, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  if (typeof fetch !== 'function') {
    throw new NeuromancerError(
      'download_failed',
      `${capital(what)} cannot be fetched from ${url.href}: this host (an audio worklet, say) has no network; pass the bytes.`,
    );
  }
  try {
    response = await fetch(url, signal === undefined ? {} : { signal });
  } catch (cause) {
    if (signal?.aborted) throw cancelled(signal);
    throw new NeuromancerError(
      'download_failed',
      `${capital(what)} could not be fetched from ${url.href}: ${(cause as Error).message}. ` +
        'Check the address and the network; a file on another site must be served with CORS headers.',
      {},
      cause,
    );
  }
  checkStatus(what, response, url.href);
  return response;
}

function checkStatus(what: string, response: Response, url: string): void {
  if (response.ok) return;
  const status = `${response.status} ${response.statusText}`.trim();
  throw new NeuromancerError(
    'download_failed',
    `${capital(what)} could not be fetched from ${url}: the server answered ${status}.`,
  );
}

function openBody(
  what: string,
  response: Response,
): { total: number | undefined; pieces: AsyncIterator<Uint8Array> & AsyncIterable<Uint8Array> } {
  checkStatus(what, response, response.url || 'the given response');
  const announced = Number(response.headers.get('content-length') ?? Number.NaN);
  // With a content-encoding the announced length is that of the compressed bytes.
  const total = response.headers.has('content-encoding') || !(announced > 0) ? undefined : announced;
  return { total, pieces: piecesOf(response.body ?? new Blob().stream(), total) };
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.byteLength;
  }
  return bytes;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
