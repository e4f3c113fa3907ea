import { coded, NeuromancerError, tell, throwIfAborted } from '../api/errors.js';
import { checkOptions, type OptionRules, plainly } from '../api/names.js';
import type { WebAbortSignal, WebBlob, WebUrl } from '../host/host-types.js';
import { isAddress, openSource, resolveUrl } from './fetch.js';
import { hashLike, isIntegrity } from './integrity.js';
import { cacheApi, opfs, type Store } from './stores.js';

/** Bytes there so far; `total` is absent when the server did not say. */
export interface DownloadProgress {
  /** "download" while they arrive, "check" while their hash is computed, "store" while they are written. */
  phase: 'download' | 'check' | 'store';
  loaded: number;
  total?: number;
}

export interface DownloadOptions {
  /**
   * Where the file is kept: in the browser's HTTP cache, as its server says (the default), in this site's private files, in
   * a cache of the Cache API, or in a place of yours. What is kept there is not asked for again: give addresses with a
   * version in them, or the hash.
   */
  cache?: 'http' | 'opfs' | 'cache-api' | Store;
  /** The file's hash, "sha256-" (or sha384, sha512) and base64. A kept file that has another is downloaded again. */
  integrity?: string;
  onProgress?: (progress: DownloadProgress) => void;
  signal?: WebAbortSignal;
}

const isStore = (value: unknown) => {
  const { get, put } = (value ?? {}) as Partial<Store>;
  return typeof get === 'function' && typeof put === 'function';
};

const rules: OptionRules = {
  cache: [
    '"http", "opfs", "cache-api" or an object with the functions get and put',
    (value) => ['http', 'opfs', 'cache-api'].includes(value as string) || isStore(value),
  ],
  integrity: ['"sha256-", "sha384-" or "sha512-" and a hash in base64', isIntegrity],
  onProgress: ['a function', (value) => typeof value === 'function'],
  signal: ['an AbortSignal', (value) => typeof (value as AbortSignal | null)?.addEventListener === 'function'],
};

/**
 * A file from where it is kept, or from its address, and then kept: a Blob, which `Session.load` takes. A download that
 * breaks off goes on where it was. Rejects with `download_failed`, with `invalid_data` for another hash than wanted, with
 * `cancelled`.
 */
export function download(url: string | WebUrl, options: DownloadOptions = {}): Promise<WebBlob> {
  return coded('The download failed', async () => {
    checkOptions('download', options, rules);
    if (!isAddress(url)) {
      throw new NeuromancerError('invalid_argument', `download takes a URL, not ${plainly(url)}.`);
    }
    const { href } = resolveUrl('the file', url);
    const { signal, integrity, onProgress } = options;
    const store = await storeOf(options.cache);
    const check = async (file: Blob) => {
      if (integrity === undefined) return undefined;
      tell(onProgress, 'onProgress', { phase: 'check', loaded: file.size, total: file.size });
      const found = await hashLike(integrity, file);
      return found === integrity ? undefined : found;
    };
    throwIfAborted(signal);
    const kept = await attempt(`read ${href} from its cache`, () => store?.get(href));
    if (kept !== undefined && (await check(kept)) === undefined) return kept;
    throwIfAborted(signal);
    const file = await fetched(href, options);
    const found = await check(file);
    if (found !== undefined) {
      throw new NeuromancerError(
        'invalid_data',
        `The file from ${href} (${file.size} bytes) has the hash ${found}, not ${integrity}: another version, or damaged on the way.`,
        { expected: integrity as string, actual: found },
      );
    }
    throwIfAborted(signal);
    if (store !== undefined) {
      tell(onProgress, 'onProgress', { phase: 'store', loaded: file.size, total: file.size });
      await attempt(`keep ${href} in its cache`, () => store.put(href, file));
    }
    return file;
  });
}

async function storeOf(cache: DownloadOptions['cache'] = 'http'): Promise<Store | undefined> {
  if (cache === 'http') return undefined;
  if (cache === 'opfs') return opfs();
  return cache === 'cache-api' ? cacheApi() : cache;
}

/** A cache that is full or broken costs a download, no more. */
async function attempt<T>(doing: string, call: () => Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    console.warn(`neuromancer: could not ${doing}:`, error);
    return undefined;
  }
}

async function fetched(href: string, { signal, onProgress }: DownloadOptions): Promise<Blob> {
  const told =
    onProgress &&
    (({ loaded, total }: Omit<DownloadProgress, 'phase'>) =>
      onProgress({ phase: 'download', loaded, ...(total === undefined ? {} : { total }) }));
  const { pieces } = await openSource('the file', href, { signal, onProgress: told });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces) parts.push(piece.slice());
  return new Blob(parts);
}
