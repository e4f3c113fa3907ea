// From a posted picture to the network's input: 28 by 28 pixels of ink, from 0 to 1.
import { convertIndexedToRgb, decode } from 'fast-png';
import { Refusal } from './refusal.js';

const size = 28;
/** The longer side of what is drawn, as in models/handwriting/train.py. */
const box = 20;

/** A few kilobytes may unpack to any number of pixels. */
const mostPixels = 1 << 20;

/** Dark on light or light on dark, of any size: what is drawn is brought into the middle. */
export function inkOfPng(bytes) {
  checkHeader(bytes);
  return centred(inkOf(decoded(bytes)));
}

function checkHeader(bytes) {
  const header = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  if (bytes.length < 33 || header.some((byte, i) => bytes[i] !== byte)) throw new Refusal(400, 'This is no PNG file.');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height <= mostPixels) return;
  throw new Refusal(413, `The picture has ${width} × ${height} pixels; up to ${mostPixels} are taken.`);
}

function decoded(bytes) {
  try {
    return decode(bytes, { checkCrc: true });
  } catch (error) {
    throw new Refusal(400, `The PNG file cannot be decoded: ${error.message.replace(/[.:\s]+$/, '')}.`);
  }
}

/** Grey from 0 to 1, black on white turned into ink. */
function inkOf(png) {
  const { width, height, palette } = png;
  if (png.depth < 8 && palette === undefined) {
    throw new Refusal(415, `The PNG file has ${png.depth} bits a channel; 8 and 16 are taken.`);
  }
  const data = palette === undefined ? png.data : convertIndexedToRgb(png);
  const channels = data.length / (width * height);
  const most = data instanceof Uint16Array ? 65535 : 255;
  const colours = channels < 3 ? 1 : 3;
  const ink = new Float32Array(width * height);
  for (let pixel = 0; pixel < ink.length; pixel++) {
    const at = pixel * channels;
    let grey = 0;
    for (let c = 0; c < colours; c++) grey += data[at + c] / (colours * most);
    // What is transparent is paper.
    const opacity = channels > colours ? data[at + colours] / most : 1;
    ink[pixel] = 1 - (opacity * grey + 1 - opacity);
  }
  const edge = edgeMean(ink, width, height);
  return { width, height, ink: edge > 0.5 ? ink.map((value) => 1 - value) : ink };
}

/** Whether the paper is light or dark is seen at the picture's edge. */
function edgeMean(ink, width, height) {
  let [sum, count] = [0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1)) {
      sum += ink[y * width + x];
      count += 1;
    }
  }
  return sum / count;
}

/** The drawn part, scaled so that its longer side is `box`, in the middle of the frame. */
function centred({ width, height, ink }) {
  const { left, right, top, bottom } = bounds(ink, width, height);
  const step = Math.max(right - left, bottom - top) / box;
  const frame = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [x0, y0] = [(left + right) / 2 + (x - size / 2) * step, (top + bottom) / 2 + (y - size / 2) * step];
      frame[y * size + x] = mean(ink, width, height, x0, y0, step);
    }
  }
  return frame;
}

function bounds(ink, width, height) {
  const found = { left: width, right: 0, top: height, bottom: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] < 0.3) continue;
      found.left = Math.min(found.left, x);
      found.right = Math.max(found.right, x + 1);
      found.top = Math.min(found.top, y);
      found.bottom = Math.max(found.bottom, y + 1);
    }
  }
  if (found.right === 0) throw new Refusal(400, 'Nothing is drawn on this picture.');
  return found;
}

/** The mean ink of the square of this side at (x0, y0); outside of the picture there is none. */
function mean(ink, width, height, x0, y0, side) {
  let sum = 0;
  for (let y = Math.max(0, Math.floor(y0)); y < Math.min(height, y0 + side); y++) {
    const tall = Math.min(y + 1, y0 + side) - Math.max(y, y0);
    for (let x = Math.max(0, Math.floor(x0)); x < Math.min(width, x0 + side); x++) {
      sum += ink[y * width + x] * tall * (Math.min(x + 1, x0 + side) - Math.max(x, x0));
    }
  }
  return sum / (side * side);
}
