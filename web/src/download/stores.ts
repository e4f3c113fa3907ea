// Where files are kept.
import { NeuromancerError } from '../api/errors.js';
import type { WebBlob } from '../host/host-types.js';

/** A place for files by their addresses. What it throws is reported, and the download goes on without it. */
export interface Store {
  get(url: string): Promise<WebBlob | undefined>;
  put(url: string, file: WebBlob): Promise<unknown>;
}

/** The name of the folder or cache that holds them. */
const name = 'neuromancer';

/** The files' own system of this site (Origin Private File System). */
export async function opfs(): Promise<Store> {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage;
  if (typeof storage?.getDirectory !== 'function') throw absent('opfs', 'Origin Private File System');
  const folder = await (await storage.getDirectory()).getDirectoryHandle(name, { create: true });
  return {
    async get(url) {
      try {
        return await (await folder.getFileHandle(await fileName(url))).getFile();
      } catch (error) {
        if ((error as Error).name === 'NotFoundError') return undefined;
        throw error;
      }
    },
    async put(url, file) {
      const handle = await folder.getFileHandle(await fileName(url), { create: true });
      // Written beside the old file, which it replaces when it is closed: nobody sees half of it.
      const writable = await handle.createWritable();
      try {
        await writable.write(file);
        await writable.close();
      } catch (error) {
        await writable.abort().catch(() => {});
        throw error;
      }
    },
  };
}

/** Addresses are longer than names may be. */
async function fileName(url: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(url));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The caches that service workers have, too. */
export async function cacheApi(): Promise<Store> {
  if (typeof caches !== 'object') throw absent('cache-api', 'Cache API');
  const cache = await caches.open(name);
  return {
    get: async (url) => (await cache.match(url))?.blob(),
    put: (url, file) => cache.put(url, new Response(file, { headers: { 'content-length': String(file.size) } })),
  };
}

function absent(option: string, what: string): NeuromancerError {
  return new NeuromancerError(
    'invalid_argument',
    `This host has no ${what} (browsers have it on secure pages, https or localhost), which cache: "${option}" needs; ` +
      'give an object with the functions get and put, or leave the option out.',
  );
}
