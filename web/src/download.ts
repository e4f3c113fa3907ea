// Files that are kept and checked: an entry of its own, because most pages leave both to the browser's HTTP cache.

export { NeuromancerError } from './api/errors.js';
export { type DownloadOptions, type DownloadProgress, download } from './download/download.js';
export type { Store } from './download/stores.js';
