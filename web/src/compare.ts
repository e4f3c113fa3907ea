// Finds a wrong answer, and says how far one is from another: an entry of its own, so that nobody pays for it who has none.

export type { ErrorCode, ErrorPlace } from './api/errors.js';
export { NeuromancerError } from './api/errors.js';
export { accuracy, type OutputAccuracy } from './compare/accuracy.js';
export { type CompareOptions, type Comparison, compare, type Difference, type Reference } from './compare/compare.js';
export { withEveryValue } from './compare/every-value.js';
