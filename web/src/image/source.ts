// What an image can be given as, how large it is, and its pixels in another size.
import { asNeuromancerError, NeuromancerError } from '../api/errors.js';
import { plainly } from '../api/names.js';
import { kindOf } from '../host/host.js';
import type { GlobalOf, WebBlob } from '../host/host-types.js';
import type { Rectangle, Size } from './fit.js';
import { type Colour, opaque, type Rgba, resize } from './resize.js';

/** Rows of bytes from the top, each pixel red, green, blue and alpha, or without alpha, or gray. */
export interface Pixels extends Size {
  readonly data: Uint8Array | Uint8ClampedArray;
}

export type ImageSource =
  | Pixels
  | WebBlob
  | GlobalOf<'ImageData'>
  | GlobalOf<'ImageBitmap'>
  | GlobalOf<'HTMLImageElement'>
  | GlobalOf<'HTMLVideoElement'>
  | GlobalOf<'VideoFrame'>
  | GlobalOf<'HTMLCanvasElement'>
  | GlobalOf<'OffscreenCanvas'>;

/** An image that is ready to be read. */
export interface Opened extends Size {
  /**
   * Its pixels as an image of the size `to` in which it takes the rectangle. Transparent places and what the rectangle
   * leaves free have the background's colour; without one they stay transparent.
   */
  read(to: Size, at: Rectangle, background: Colour | undefined): Uint8ClampedArray;
  close(): void;
}

const expected =
  'an ImageBitmap, an image, video or canvas element, an OffscreenCanvas, a VideoFrame, an ImageData, a Blob, or ' +
  '{ data, width, height } with bytes';

/** What each of the browser's kinds calls its size, and why that may be 0. */
const drawables: Readonly<Record<string, readonly [width: string, height: string, why: string]>> = {
  ImageBitmap: ['width', 'height', 'it was closed'],
  HTMLImageElement: [
    'naturalWidth',
    'naturalHeight',
    'it is not loaded, or failed to: wait for "await image.decode()"',
  ],
  HTMLVideoElement: ['videoWidth', 'videoHeight', 'it has no picture yet: wait for its event "loadeddata"'],
  VideoFrame: ['displayWidth', 'displayHeight', 'it was closed'],
  HTMLCanvasElement: ['width', 'height', 'it has no area'],
  OffscreenCanvas: ['width', 'height', 'it has no area'],
};

export async function openImage(source: unknown): Promise<Opened> {
  if (/^(Blob|File)$/.test(kindOf(source))) return decoded(source as Blob);
  const kind = kindOf(source);
  const drawable = Object.hasOwn(drawables, kind) ? drawables[kind] : undefined;
  if (drawable === undefined) return ofPixels(source);
  const [width, height, why] = drawable;
  const sizes = source as Record<string, number>;
  return drawn(kind, source as CanvasImageSource, { width: sizes[width] ?? 0, height: sizes[height] ?? 0 }, why);
}

async function decoded(blob: Blob): Promise<Opened> {
  if (typeof createImageBitmap !== 'function') {
    throw new NeuromancerError(
      'invalid_argument',
      'This host decodes no images: decode the file with a library, and pass { data, width, height }.',
    );
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch (error) {
    throw new NeuromancerError(
      'invalid_data',
      `The Blob of ${blob.size} bytes and the type "${blob.type}" is no image that this host can decode.`,
      {},
      error,
    );
  }
  return { ...drawn('ImageBitmap', bitmap, bitmap, ''), close: () => bitmap.close() };
}

function drawn(kind: string, source: CanvasImageSource, { width, height }: Size, why: string): Opened {
  if (width === 0 || height === 0) {
    throw new NeuromancerError('invalid_data', `The ${kind} has the size ${width} × ${height}: ${why}.`);
  }
  return {
    width,
    height,
    read(to, at, background) {
      const context = canvasOf(to);
      try {
        context.clearRect(0, 0, to.width, to.height);
        if (background !== undefined) {
          context.fillStyle = `rgb(${background.join(' ')})`;
          context.fillRect(0, 0, to.width, to.height);
        }
        context.drawImage(source, at.left, at.top, at.width, at.height);
        return context.getImageData(0, 0, to.width, to.height).data as Uint8ClampedArray;
      } catch (error) {
        if ((error as Error).name !== 'SecurityError') throw asNeuromancerError(error, 'invalid_data', `The ${kind}`);
        // A tainted canvas stays so.
        shared = undefined;
        throw new NeuromancerError(
          'invalid_argument',
          `The ${kind} comes from another site, which keeps its pixels from this page: serve it with CORS headers, and ` +
            'give the element the attribute crossorigin="anonymous".',
          {},
          error,
        );
      }
    },
    close: () => {},
  };
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** One for all images: drawing and reading are a single task. */
let shared: Context | undefined;

function canvasOf({ width, height }: Size): Context {
  shared ??= newContext();
  const { canvas } = shared;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  // A canvas that changed its size has forgotten both.
  shared.imageSmoothingEnabled = true;
  shared.imageSmoothingQuality = 'high';
  return shared;
}

function newContext(): Context {
  // In the processor's memory: every pixel is read.
  const settings: CanvasRenderingContext2DSettings = { willReadFrequently: true };
  let context: Context | null = null;
  if (typeof OffscreenCanvas === 'function') context = new OffscreenCanvas(1, 1).getContext('2d', settings);
  else if (typeof document === 'object') context = document.createElement('canvas').getContext('2d', settings);
  if (context !== null) return context;
  throw new NeuromancerError(
    'invalid_argument',
    'This host has no canvas to draw the image on; pass { data, width, height }.',
  );
}

function ofPixels(source: unknown): Opened {
  const { data, width, height } = (source ?? {}) as Partial<Pixels>;
  if (!isBytes(data) || !isLength(width) || !isLength(height)) {
    throw new NeuromancerError('invalid_argument', `An image is ${expected}, not ${plainly(source)}.`, {
      expected,
      actual: plainly(source),
    });
  }
  const channels = data.length / (width * height);
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new NeuromancerError(
      'shape_mismatch',
      `An image of ${width} × ${height} pixels has 1, 3 or 4 bytes for each, but ${data.length} bytes were given.`,
    );
  }
  const rgba: Rgba = { width, height, data: channels === 4 ? data : widened(data, channels) };
  return {
    width,
    height,
    read: (to, at, background) => {
      const same = at.width === width && at.height === height && to.width === width && to.height === height;
      if (same && (background === undefined || opaque(rgba.data))) return new Uint8ClampedArray(rgba.data);
      return resize(rgba, to, at, background);
    },
    close: () => {},
  };
}

function isBytes(data: unknown): data is Uint8Array | Uint8ClampedArray {
  return /^Uint8(Clamped)?Array$/.test(kindOf(data));
}

function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

/** Pixels of one or three bytes with four. */
function widened(data: Uint8Array | Uint8ClampedArray, channels: 1 | 3): Uint8ClampedArray {
  const pixels = data.length / channels;
  const rgba = new Uint8ClampedArray(4 * pixels).fill(255);
  const step = channels === 3 ? 1 : 0;
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < 3; channel++) rgba[4 * i + channel] = data[channels * i + channel * step] as number;
  }
  return rgba;
}
