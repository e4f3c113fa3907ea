// Compiled when the worker is deployed; opened when the isolate starts, so that no request waits for another's.
import digits from '../digits.wasm';
import { fetchHandler } from '../shared/fetch.js';

export default { fetch: await fetchHandler(digits) };
