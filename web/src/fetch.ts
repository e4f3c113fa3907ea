import { asNeuromancerError, cancelled, NeuromancerError, throwIfAborted } from './errors.js';
import { baseUrl, isNode, readFile } from './host.js';

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

/** All bytes of a source. A failure names the URL and the HTTP status. `what` says what was wanted: "the model". */
export async function readSource(what: string, source: Source, options: FetchOptions = {}): Promise<Uint8Array> {
  throwIfAborted(options.signal);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source))
    return new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
  try {
    if (typeof Blob !== 'undefined' && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
    if (typeof Response !== 'undefined' && source instanceof Response) return await readBody(what, source, options);
    return await readUrl(what, resolveUrl(what, source as string | URL), options);
  } catch (error) {
    if (options.signal?.aborted) throw cancelled(options.signal);
    throw asNeuromancerError(error, 'download_failed', `Reading ${what} failed`);
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

async function readUrl(what: string, url: URL, options: FetchOptions): Promise<Uint8Array> {
  if (url.protocol === 'file:' && isNode) {
    const bytes = await readFile(url).catch((cause: Error) => {
      throw new NeuromancerError(
        'download_failed',
        `${capital(what)} could not be read from ${url.href}: ${cause.message}`,
        {},
        cause,
      );
    });
    options.onProgress?.({ loaded: bytes.byteLength, total: bytes.byteLength });
    return bytes;
  }
  return readBody(what, await fetchUrl(what, url, options.signal), options);
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

async function readBody(what: string, response: Response, options: FetchOptions): Promise<Uint8Array> {
  checkStatus(what, response, response.url || 'the given response');
  const announced = Number(response.headers.get('content-length') ?? Number.NaN);
  // With a content-encoding the announced length is that of the compressed bytes.
  const total = response.headers.has('content-encoding') || !(announced > 0) ? undefined : announced;
  if (response.body === null || (options.onProgress === undefined && options.signal === undefined)) {
    return new Uint8Array(await response.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.byteLength;
    options.onProgress?.(total === undefined ? { loaded } : { loaded, total });
    if (options.signal?.aborted) {
      void reader.cancel(options.signal.reason);
      throw cancelled(options.signal);
    }
  }
  return concatenate(chunks, loaded);
}

function concatenate(chunks: Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.byteLength;
  }
  return bytes;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
