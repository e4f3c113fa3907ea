// Models that keep state from call to call: an entry of its own, so that nobody pays for it who has none.
export type { CacheType } from './api/cache-type.js';
export { NeuromancerError } from './api/errors.js';
export { type Feeds, Stream, type StreamOptions, type StreamRunOptions, stream } from './stream/stream.js';
