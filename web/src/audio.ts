// Sound on its way into a model: an entry of its own, so that nobody pays for it who has none.

export { NeuromancerError } from './api/errors.js';
export { type FrameOptions, frames } from './audio/frames.js';
export { type LogMelOptions, logMel } from './audio/log-mel.js';
export { type MelScale, melFilters } from './audio/mel.js';
export { resample } from './audio/resample.js';
