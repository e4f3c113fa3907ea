// Images from bytes, as in Node; tests/browser/image.test.ts has what browsers can draw.
import { describe, expect, test } from 'vitest';
import { type ImageOptions, imageTensor, placement, toImageData } from '../dist/image.js';
import { NeuromancerError, Session, Tensor } from '../dist/index.js';
import { float16ToFloat32 } from '../src/values/float16.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';

const opaque = (width: number, height: number, colours: readonly number[]) => ({
  width,
  height,
  data: Uint8ClampedArray.from(colours.flatMap((_, i) => (i % 3 === 2 ? [...colours.slice(i - 2, i + 1), 255] : []))),
});
/** Two pixels beside each other. */
const pair = opaque(2, 1, [10, 20, 30, 40, 50, 60]);

async function values(source: Parameters<typeof imageTensor>[0], options: ImageOptions): Promise<number[]> {
  return Array.from((await imageTensor(source, options)).data);
}

describe('pixels become values', () => {
  test("planes of 0 to 1 by default, in the image's own size", async () => {
    const { type, shape, data } = await imageTensor(pair);
    expect({ type, shape }).toEqual({ type: 'float32', shape: [1, 3, 1, 2] });
    expect(data).toEqual(Float32Array.from([10, 40, 20, 50, 30, 60], (byte) => byte / 255));
  });

  test.each<[ImageOptions, number[]]>([
    [{ layout: 'nhwc' }, [10, 20, 30, 40, 50, 60]],
    [{ channels: 'bgr' }, [30, 60, 20, 50, 10, 40]],
    [{ channels: 'rgba', layout: 'nhwc' }, [10, 20, 30, 255, 40, 50, 60, 255]],
    // (19595 r + 38470 g + 7471 b + 32768) >> 16
    [{ channels: 'gray' }, [18, 48]],
  ])('%o', async (options, bytes) => {
    expect(await values(pair, { dtype: 'uint8', ...options })).toEqual(bytes);
  });

  test('mean and std for each channel, after the scale', async () => {
    const found = await values(pair, { scale: 1, mean: [10, 20, 30], std: [2, 3, 5] });
    expect(found).toEqual([0, 15, 0, 10, 0, 6]);
    const reversed = await values(pair, { channels: 'bgr', scale: 1, mean: [30, 20, 10], std: 2 });
    expect(reversed).toEqual([0, 15, 0, 15, 0, 15]);
  });

  test('float16', async () => {
    const { type, data } = await imageTensor(pair, { dtype: 'float16', scale: 1 });
    expect(type).toBe('float16');
    expect([...float16ToFloat32(data as Uint16Array)]).toEqual([10, 40, 20, 50, 30, 60]);
  });

  test('bytes without alpha, and gray ones', async () => {
    const rgb = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    expect(await values(rgb, { dtype: 'uint8', layout: 'nhwc' })).toEqual([1, 2, 3, 4, 5, 6]);
    const gray = { width: 2, height: 1, data: Uint8Array.of(7, 9) };
    expect(await values(gray, { dtype: 'uint8' })).toEqual([7, 9, 7, 9, 7, 9]);
  });

  test('transparent pixels show the background', async () => {
    const half = { width: 1, height: 1, data: Uint8Array.of(200, 100, 0, 51) };
    const options: ImageOptions = { dtype: 'uint8', background: [0, 0, 250] };
    expect(await values(half, options)).toEqual([40, 20, 200]);
    expect(await values(half, { dtype: 'uint8', channels: 'rgba' })).toEqual([200, 100, 0, 51]);
  });
});

describe('other sizes', () => {
  test('half the size is the mean of what lies there, by hand', async () => {
    // Four pixels to two: a triangle two wide on each side of the middle, 3/7 3/7 1/7 after what lies outside is left out.
    const row = { width: 4, height: 1, data: Uint8Array.of(0, 70, 140, 210) };
    const found = await values(row, { size: { width: 2, height: 1 }, fit: 'fill', channels: 'gray', scale: 1 });
    expect(found).toEqual([Math.round((3 * 0 + 3 * 70 + 140) / 7), Math.round((70 + 3 * 140 + 3 * 210) / 7)]);
  });

  test('"contain" leaves bars of the background on both sides, or at the end', async () => {
    const options: ImageOptions = { size: 4, fit: 'contain', channels: 'gray', dtype: 'uint8', background: [9, 9, 9] };
    const white = { width: 4, height: 2, data: new Uint8Array(8).fill(255) };
    const [bar, full] = [Array(4).fill(9), Array(4).fill(255)];
    expect(await values(white, options)).toEqual([...bar, ...full, ...full, ...bar]);
    expect(await values(white, { ...options, position: 'start' })).toEqual([...full, ...full, ...bar, ...bar]);
  });

  test('"cover" cuts the sides off', async () => {
    const row = { width: 4, height: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
    expect(await values(row, { size: 2, channels: 'gray', dtype: 'uint8' })).toEqual([2, 3, 6, 7]);
    expect(await values(row, { size: 2, channels: 'gray', dtype: 'uint8', position: 'start' })).toEqual([1, 2, 5, 6]);
  });

  test('a width or a height alone keeps the proportions', async () => {
    const wide = { width: 8, height: 2, data: new Uint8Array(16) };
    expect((await imageTensor(wide, { size: { height: 4 } })).shape).toEqual([1, 3, 4, 16]);
    expect((await imageTensor(wide, { size: { width: 2 } })).shape).toEqual([1, 3, 1, 2]);
  });

  test('a colour does not leak out of transparent places', async () => {
    const data = Uint8Array.of(255, 0, 0, 255, 0, 255, 0, 0);
    const found = await values(
      { width: 2, height: 1, data },
      { size: 1, fit: 'fill', channels: 'rgba', dtype: 'uint8' },
    );
    expect(found).toEqual([255, 0, 0, 128]);
  });

  test('where an image lies in its tensor', () => {
    const [photo, square] = [
      { width: 1280, height: 720 },
      { width: 640, height: 640 },
    ];
    expect(placement(photo, square, 'contain')).toEqual({ left: 0, top: 140, width: 640, height: 360 });
    expect(placement(photo, square, 'contain', 'start')).toEqual({ left: 0, top: 0, width: 640, height: 360 });
    expect(placement(photo, square)).toEqual({ left: -249, top: 0, width: 1138, height: 640 });
    expect(placement(photo, square, 'fill')).toEqual({ left: 0, top: 0, width: 640, height: 640 });
  });

  test.skipIf(!built('wasm'))("the same as ONNX's Resize with antialias", async () => {
    const [width, height, channels] = [23, 17, 3];
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 7919 + (i >> 3) * 31) % 256);
    for (const [newWidth, newHeight] of [
      [7, 5],
      [40, 9],
      [23, 30],
    ] as const) {
      const session = await Session.load(
        modelOf(
          [
            {
              op: 'Resize',
              inputs: ['image', '', '', 'sizes'],
              outputs: ['resized'],
              // What lies outside counts nothing, as in Pillow.
              attributes: { mode: 'linear', antialias: 1, exclude_outside: 1 },
            },
          ],
          { image: 'float32[1,3,?,?]', sizes: 'int64[4]' },
          { resized: 'float32[1,3,?,?]' },
        ),
        { artefact: 'wasm', threads: 1 },
      );
      const image = await imageTensor({ width, height, data }, { scale: 1 });
      const sizes = new Tensor('int64', [1, 3, newHeight, newWidth]);
      const expected = ((await session.run({ image, sizes })).resized as Tensor).toFloat32();
      const size = { width: newWidth, height: newHeight };
      const found = await values({ width, height, data }, { size, fit: 'fill', scale: 1 });
      expect(found.length).toBe(expected.length);
      // Ours are bytes.
      expect(Math.max(...found.map((value, i) => Math.abs(value - (expected[i] as number))))).toBeLessThan(0.51);
      await session.release();
    }
  });
});

describe('back to an image', () => {
  test.each<ImageOptions>([
    {},
    { layout: 'nhwc', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    { channels: 'bgr', scale: 1, mean: 127.5, std: 127.5 },
    { channels: 'rgba' },
    { dtype: 'uint8' },
    { dtype: 'float16' },
  ])('the same bytes as before: %o', async ({ dtype, ...options }) => {
    const tensor = await imageTensor(pair, dtype === undefined ? options : { ...options, dtype });
    const image = toImageData(tensor, options);
    expect([image.width, image.height, ...image.data]).toEqual([2, 1, ...pair.data]);
  });

  test('gray ones of two and three dimensions, kept within bytes', () => {
    const data = Float32Array.of(-1, 0.5, 2);
    for (const shape of [
      [3, 1],
      [1, 3, 1],
      [1, 1, 3, 1],
    ]) {
      const image = toImageData(new Tensor('float32', data, shape));
      expect([...image.data]).toEqual([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]);
    }
  });

  test('what is no image is refused', () => {
    for (const [tensor, message] of [
      [new Tensor('float32', new Float32Array(8), [2, 1, 2, 2]), 'is not one image'],
      [new Tensor('float32', new Float32Array(8), [2, 2, 2]), 'is no gray, rgb or rgba image of the layout "nchw"'],
      [new Tensor('float32', [], [3, 0, 2]), 'is no rgb image'],
      [new Tensor('int64', [1], [1, 1]), 'takes a tensor of numbers, not a tensor of int64'],
    ] as const) {
      expect(() => toImageData(tensor)).toThrow(message);
    }
    const gray = new Tensor('float32', [1], [1, 1]);
    expect(() => toImageData(gray, { channels: 'rgb' })).toThrow('is no rgb image');
    expect(() => toImageData(gray, { mean: [1, 2] })).toThrow('"mean" has 2 numbers for 1 channels');
  });
});

describe('refusals', () => {
  const refused = async (source: unknown, options: unknown): Promise<NeuromancerError> => {
    const error = await imageTensor(source as never, options as never).catch((reason) => reason);
    expect(error).toBeInstanceOf(NeuromancerError);
    return error;
  };

  test.each([
    [undefined, 'An image is an ImageBitmap'],
    ['cat.jpg', 'not "cat.jpg"'],
    [{ data: [1, 2, 3], width: 1, height: 1 }, 'An image is an ImageBitmap'],
    [{ data: new Uint8Array(4), width: 0, height: 1 }, 'An image is an ImageBitmap'],
    [{ data: new Uint8Array(4), width: 2 ** 40, height: 2 ** 40 }, 'but 4 bytes were given'],
    [{ data: new Uint8Array(5), width: 1, height: 2 }, 'An image of 1 × 2 pixels has 1, 3 or 4 bytes for each'],
    [new Blob(['no image']), 'This host decodes no images'],
  ])('the source %o', async (source, message) => {
    expect((await refused(source, {})).message).toContain(message);
  });

  test.each([
    [{ sise: 224 }, 'Did you mean "size"?'],
    [{ size: 0 }, 'a whole number of pixels, 1 to 16384'],
    [{ size: 1e9 }, 'a whole number of pixels, 1 to 16384'],
    [{ size: { wide: 3 } }, 'a whole number of pixels'],
    [{ size: {} }, 'a whole number of pixels'],
    [{ fit: 'letterbox' }, '"cover" or "contain" or "fill"'],
    [{ mean: [1, 2] }, 'has 2 numbers for 3 channels'],
    [{ std: 0 }, 'a number other than 0'],
    [{ mean: Number.NaN }, '"mean" of imageTensor must be'],
    [{ dtype: 'uint8', mean: 0.5 }, 'has no meaning for uint8'],
    [{ background: [1, 2] }, 'three numbers of 0 to 255'],
    [{ size: { height: 16384 } }, 'would have 32768 × 16384 pixels'],
  ])('%o', async (options, message) => {
    const error = await refused(pair, options);
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(message);
  });
});

test.skipIf(!built('wasm'))('a session takes an image as it is', async () => {
  const model = modelOf(
    [{ op: 'GlobalAveragePool', inputs: ['image'], outputs: ['means'] }],
    { image: 'float32[n,3,?,?]' },
    { means: 'float32[n,3,1,1]' },
  );
  const session = await Session.load(model, { artefact: 'wasm', threads: 1 });
  const { means } = await session.run({ image: await imageTensor(pair, { scale: 1 }) });
  expect([...(means as Tensor).toFloat32()]).toEqual([25, 35, 45]);
  await session.release();
});
