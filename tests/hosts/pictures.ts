// What is posted to every host, and what has to come of it.
import { deflateSync } from 'node:zlib';
import { render } from '../../demo/src/draw/ink.ts';
import { three } from '../drawn-three.ts';

export interface Post {
  readonly name: string;
  readonly type?: string;
  readonly method?: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** The HTTP status; with 200 the answer is the one of Session.load. */
  readonly status: number;
  /** The sign that a person sees there. */
  readonly sign?: string;
  /** A part of the error's sentence. */
  readonly message?: string;
}

const strokes = {
  '1': [
    [0.5, 0.1],
    [0.5, 0.9],
  ],
  '3': three,
  '7': [
    [0.25, 0.15],
    [0.75, 0.15],
    [0.42, 0.9],
  ],
  L: [
    [0.3, 0.1],
    [0.3, 0.9],
    [0.8, 0.9],
  ],
} as const;

const drawn = (sign: keyof typeof strokes): Float32Array => render([strokes[sign].map(([x, y]) => ({ x, y }))]);

/** 784 bytes, 255 for ink. */
export const bytes = (sign: keyof typeof strokes) => Uint8Array.from(drawn(sign), (ink) => Math.round(ink * 255));

/** A PNG file: grey of 8 bits, or with `channels` 4 black with opacity. */
function png(width: number, height: number, pixel: (x: number, y: number) => number[]): Uint8Array<ArrayBuffer> {
  const channels = pixel(0, 0).length;
  const rows = Buffer.alloc(height * (1 + width * channels));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set(pixel(x, y), y * (1 + width * channels) + 1 + x * channels);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 1 ? 0 : channels === 3 ? 2 : 6], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Uint8Array.from(Buffer.concat(parts));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

function crc(data: Buffer): number {
  let value = 0xffffffff;
  for (const byte of data) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}

/** A drawing on a larger sheet: each of its pixels a square of `scale`, moved to the lower right. */
function sheet(sign: keyof typeof strokes, scale: number, colour: (ink: number) => number[]): Uint8Array<ArrayBuffer> {
  const ink = drawn(sign);
  const side = 28 * scale + 60;
  return png(side, side, (x, y) => {
    const [column, row] = [Math.floor((x - 50) / scale), Math.floor((y - 50) / scale)];
    const inside = column >= 0 && row >= 0 && column < 28 && row < 28;
    return colour(inside ? (ink[row * 28 + column] as number) : 0);
  });
}

const whole = sheet('3', 8, (ink) => [255 - Math.round(ink * 255)]);
const huge = Uint8Array.from(whole);
new DataView(huge.buffer).setUint32(16, 100_000);
const broken = Uint8Array.from(whole);
broken[Math.floor(broken.length / 2)] = (broken[Math.floor(broken.length / 2)] as number) ^ 0xff;

const png8 = 'image/png';
const raw = 'application/octet-stream';

export const posts: readonly Post[] = [
  { name: 'raw bytes', type: raw, body: bytes('3'), status: 200, sign: '3' },
  { name: 'PNG, dark on light', type: png8, body: whole, status: 200, sign: '3' },
  {
    name: 'PNG, light on dark, in colour',
    type: 'image/png; charset=binary',
    body: sheet('7', 5, (ink) => [Math.round(ink * 255), Math.round(ink * 255), Math.round(ink * 255)]),
    status: 200,
    sign: '7',
  },
  {
    name: 'PNG, ink on nothing',
    type: 'IMAGE/PNG',
    body: sheet('L', 3, (ink) => [0, 0, 0, Math.round(ink * 255)]),
    status: 200,
    sign: 'L',
  },
  {
    name: 'bytes of another size',
    type: raw,
    body: new Uint8Array(783),
    status: 400,
    message: '783',
  },
  { name: 'nothing', type: raw, body: new Uint8Array(0), status: 400 },
  { name: 'empty sheet', type: png8, body: png(40, 40, () => [255]), status: 400, message: 'Nothing is drawn' },
  { name: 'no PNG', type: png8, body: new TextEncoder().encode('a drawing'.repeat(9)), status: 400, message: 'no PNG' },
  { name: 'damaged PNG', type: png8, body: broken, status: 400, message: 'cannot be decoded' },
  { name: 'cut PNG', type: png8, body: whole.slice(0, 60), status: 400, message: 'cannot be decoded' },
  { name: 'PNG of too many pixels', type: png8, body: huge, status: 413, message: 'pixels' },
  { name: 'long body', type: raw, body: new Uint8Array(150_000), status: 413, message: '100000 bytes' },
  { name: 'text', type: 'text/plain', body: bytes('3'), status: 415, message: 'text/plain' },
  { name: 'another method', method: 'PUT', type: raw, body: bytes('3'), status: 405 },
  { name: 'raw bytes, after all that', type: raw, body: bytes('1'), status: 200 },
];
