// What a model's outputs mean: an entry of its own, so that nobody pays for it who has no use for it.

export { NeuromancerError } from './api/errors.js';
export { type Box, onImage } from './decode/box.js';
export { type BoxForm, type BoxOptions, decodeBoxes } from './decode/boxes.js';
export { type CtcOptions, type CtcText, ctcGreedy } from './decode/ctc.js';
export { type NonMaximumSuppressionOptions, nonMaximumSuppression } from './decode/non-maximum-suppression.js';
export { type Ranked, softmax, topK } from './decode/scores.js';
export { decodeYolo, type YoloOptions } from './decode/yolo.js';
