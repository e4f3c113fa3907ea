// Images as tensors and back: an entry of its own, so that nobody pays for it who has none.
export { NeuromancerError } from './api/errors.js';
export type { Fit, Rectangle, Size } from './image/fit.js';
export { placement } from './image/fit.js';
export { type ImageDataOptions, toImageData } from './image/image-data.js';
export { type ImageOptions, type ImageTensor, imageTensor } from './image/image-tensor.js';
export type { Channels, Layout, Normalisation, PixelData, PixelType } from './image/normalisation.js';
export type { ImageSource, Pixels } from './image/source.js';
