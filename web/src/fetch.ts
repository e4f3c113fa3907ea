import { asNeuromancerError, cancelled, NeuromancerError, throwIfAborted } from './errors.js';
import { baseUrl, fileStream, isNode } from './host.js';

/** Where bytes come from: a URL (in Node also a file: URL or a path), the bytes themselves, or a Response or Blob. */
export type Source = string | URL | ArrayBuffer | ArrayBufferView | Response | Blob;

/** Bytes received so far; `total` is absent when the server did not say. */
export interface Progress {
  loaded: number;
  total?: number;
}

export interface FetchOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Bytes on their way: how many there will be, where that is known, and the pieces that they come in. */
export interface ByteStream {
  readonly total: number | undefined;
  readonly pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * A source whose first bytes are there; the rest come as its pieces are asked for. A failure, then too, names the URL
 * and the HTTP status. `what` says what was wanted: "the model".
 */
export async function openSource(what: string, source: Source, options: FetchOptions = {}): Promise<ByteStream> {
  throwIfAborted(options.signal);
  try {
    const { total, pieces } = await open(what, source, options.signal);
    return { total, pieces: watched(what, { total, pieces }, options) };
  } catch (error) {
    throw readError(what, error, options.signal);
  }
}

/** All bytes of a source. */
export async function readSource(what: string, source: Source, options: FetchOptions = {}): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await openSource(what, source, options)).pieces) pieces.push(piece);
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : concatenate(pieces);
}

async function open(what: string, source: Source, signal: AbortSignal | undefined): Promise<ByteStream> {
  if (source instanceof ArrayBuffer) return { total: source.byteLength, pieces: [new Uint8Array(source)] };
  if (ArrayBuffer.isView(source)) {
    const bytes = new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
    return { total: bytes.byteLength, pieces: [bytes] };
  }
  if (typeof Blob !== 'undefined' && source instanceof Blob) {
    return { total: source.size, pieces: piecesOf(source.stream()) };
  }
  if (typeof Response !== 'undefined' && source instanceof Response) return openBody(what, source);
  const url = resolveUrl(what, source as string | URL);
  return url.protocol === 'file:' && isNode ? openFile(what, url) : openBody(what, await fetchUrl(what, url, signal));
}

/** Passes pieces on, tells of progress, and gives failures their names. */
async function* watched(what: string, { total, pieces }: ByteStream, { signal, onProgress }: FetchOptions) {
  let loaded = 0;
  try {
    for await (const piece of pieces) {
      loaded += piece.byteLength;
      onProgress?.(total === undefined ? { loaded } : { loaded, total });
      throwIfAborted(signal);
      yield piece;
    }
  } catch (error) {
    throw readError(what, error, signal);
  }
}

function readError(what: string, error: unknown, signal: AbortSignal | undefined): NeuromancerError {
  if (signal?.aborted) return cancelled(signal);
  return asNeuromancerError(error, 'download_failed', `Reading ${what} failed`);
}

async function* piecesOf(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Whoever stops early wants no more of the download.
    reader.cancel().catch(() => {});
  }
}

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

/** A successful response for the URL, or an error that says what came instead. */
export async function fetchUrl(what: string, url: URL, signal?: AbortSignal): Promise<Response> {
  let response: Response;
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

function openBody(what: string, response: Response): ByteStream {
  checkStatus(what, response, response.url || 'the given response');
  const announced = Number(response.headers.get('content-length') ?? Number.NaN);
  // With a content-encoding the announced length is that of the compressed bytes.
  const total = response.headers.has('content-encoding') || !(announced > 0) ? undefined : announced;
  return { total, pieces: response.body === null ? [] : piecesOf(response.body) };
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
