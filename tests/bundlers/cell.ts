// A cell of the matrix: where the package has to start, with which tool, under which headers, and what must come of it.
import type { Headers } from './server.ts';

/** What a mode must give beside the right digit: threads or a worker; or the code of its error. */
export interface Expected {
  readonly threads?: number;
  readonly worker?: boolean;
  readonly code?: string;
  readonly message?: string;
}

interface Common {
  readonly name: string;
  /** In the gate; the others run by ./dev test --web. */
  readonly gate?: boolean;
  /** Packages of the registry beside the tarball. */
  readonly install?: Readonly<Record<string, string>>;
  /** Files of app/, by the name they get; `as` is put in the place of 'neuromancer' where they import it. */
  readonly files: readonly string[];
  readonly as?: string;
  /** A folder of app/, whose files lie in the project as they lie there. */
  readonly folder?: string;
  /** Files of their own. */
  readonly write?: Readonly<Record<string, string>>;
  /** Shell commands in the project's folder. */
  readonly build?: readonly string[];
  readonly expected: Readonly<Record<string, Expected>>;
}

export type BrowserName = 'Chromium' | 'Firefox' | 'WebKit';

export interface PageCell extends Common {
  readonly kind: 'page';
  /** Where it is opened; by default in Chromium. */
  readonly browsers?: readonly BrowserName[];
  /** The gate opens it in all of them; other cells in the first one. */
  readonly core?: boolean;
  /** What is expected elsewhere in one of them. */
  readonly but?: Partial<Record<BrowserName, Readonly<Record<string, Expected>>>>;
  /** The folder that is served. */
  readonly root: string;
  readonly page: string;
  readonly headers?: Headers;
  /** A command that serves the folder instead, and prints its address. */
  readonly server?: string;
  /** Not served: the page is a file's, or one of the extension that the folder is. */
  readonly of?: 'file' | 'extension';
  /** Serves node_modules/neuromancer/dist on another site, and puts its address in the place of CDN in these files. */
  readonly elsewhere?: readonly string[];
}

export interface ProcessCell extends Common {
  readonly kind: 'process';
  readonly command: string;
}

export type Cell = PageCell | ProcessCell;

/** What the modes of app/classify.js come to. */
export const threaded = { threads: 2, worker: false };
export const alone = { threads: 1, worker: false };
export const inWorker = { threads: 2, worker: true };
export const aloneInWorker = { threads: 1, worker: true };
export const isolated = { plain: threaded, one: alone, worker: inWorker };
export const notIsolated = { plain: alone, one: alone, worker: aloneInWorker };
