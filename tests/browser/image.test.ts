// Every kind of image that a browser has becomes the tensor that its pixels become in Node, and in good time.
import { afterEach, describe, expect, test } from 'vitest';
import { browsers, type Driver } from './drivers.ts';
import { servePackage } from './package-server.ts';

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="32"><rect width="32" height="32" fill="#f00"/></svg>';

/** On this site, and on another that keeps it to itself. */
const port = servePackage((path) => (path === '/red.svg' ? svg : undefined));

/** The same picture in every form: a red left half and a blue right one, 64 × 32, to 16 × 16. */
const forms = `(async () => {
  const { imageTensor, toImageData } = await import('/image.js');
  const paint = (canvas) => {
    const context = canvas.getContext('2d');
    context.fillStyle = '#f00';
    context.fillRect(0, 0, 32, 32);
    context.fillStyle = '#00f';
    context.fillRect(32, 0, 32, 32);
    return canvas;
  };
  const offscreen = paint(new OffscreenCanvas(64, 32));
  const element = paint(Object.assign(document.createElement('canvas'), { width: 64, height: 32 }));
  const blob = await offscreen.convertToBlob();
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  await image.decode();
  const bitmap = await createImageBitmap(offscreen);
  const forms = { offscreen, element, blob, image, bitmap, data: offscreen.getContext('2d').getImageData(0, 0, 64, 32) };
  if (typeof VideoFrame === 'function') forms.frame = new VideoFrame(offscreen, { timestamp: 0 });
  if (typeof element.captureStream === 'function') {
    // A stream has a frame whenever somebody paints.
    setInterval(() => paint(element), 20);
    const video = Object.assign(document.createElement('video'), { srcObject: element.captureStream(), muted: true });
    await video.play();
    if (video.videoWidth === 0) await new Promise((resolve) => (video.onloadeddata = resolve));
    forms.video = video;
  }
  const found = {};
  for (const [name, form] of Object.entries(forms)) {
    const { data, shape } = await imageTensor(form, { size: 16, fit: 'fill', dtype: 'uint8' });
    found[name] = { data: [...data], shape };
  }
  const back = toImageData(await imageTensor(bitmap));
  found.back = back instanceof ImageData && back.data.every((byte, i) => byte === forms.data.data[i]);
  return found;
})()`;

const refusals = (other: number) => `(async () => {
  const { imageTensor } = await import('/image.js');
  const bitmap = await createImageBitmap(new ImageData(4, 4));
  bitmap.close();
  const foreign = new Image();
  foreign.src = 'http://127.0.0.1:${other}/red.svg';
  await foreign.decode();
  const found = [];
  for (const source of [bitmap, new Image(), document.createElement('video'), new Blob(['no image']), foreign]) {
    found.push(await imageTensor(source).then(() => 'taken', (error) => error.code + ': ' + error.message));
  }
  const own = new Image();
  own.src = '/red.svg';
  await own.decode();
  const { data } = await imageTensor(own, { size: { width: 2 }, dtype: 'uint8', background: [0, 255, 0] });
  return { found, after: [...data] };
})()`;

/** Milliseconds for a frame of 1280 × 720 to become float32[1,3,224,224], the least of many. */
const timing = `(async () => {
  const { imageTensor } = await import('/image.js');
  const frame = new OffscreenCanvas(1280, 720);
  const context = frame.getContext('2d');
  for (let i = 0; i < 500; i++) {
    context.fillStyle = 'hsl(' + i * 37 + ' 80% 50%)';
    context.fillRect((i * 97) % 1280, (i * 61) % 720, 90, 60);
  }
  const bitmap = await createImageBitmap(frame);
  let least = Infinity;
  for (let i = 0; i < 100; i++) {
    const start = performance.now();
    await imageTensor(bitmap, { size: 224, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
    least = Math.min(least, performance.now() - start);
  }
  return least;
})()`;

describe.each(browsers)('$name', ({ name, start, path }) => {
  const why = path === undefined ? ' (skipped: not installed)' : '';
  let driver: Driver | undefined;
  afterEach(async () => {
    await driver?.close();
    driver = undefined;
  });
  const open = async () => {
    driver = await start(path as string);
    await driver.open(`http://localhost:${port()}/`);
    return driver;
  };

  test.skipIf(why !== '')(`takes images in all their forms${why}`, async () => {
    const { back, ...found } = await (await open()).evaluate<
      Record<string, { data: number[]; shape: number[] }> & { back: boolean }
    >(forms);
    expect(back).toBe(true);
    expect(Object.keys(found)).toEqual(
      expect.arrayContaining(['offscreen', 'element', 'blob', 'image', 'bitmap', 'data']),
    );
    for (const [form, { data, shape }] of Object.entries(found)) {
      expect(shape, form).toEqual([1, 3, 16, 16]);
      const colour = (x: number, y: number) => [0, 1, 2].map((channel) => data[channel * 256 + y * 16 + x] as number);
      for (const [x, expected] of [
        [2, [255, 0, 0]],
        [13, [0, 0, 255]],
      ] as const) {
        const far = colour(x, 8).map((byte, i) => Math.abs(byte - (expected[i] as number)));
        // A video's colours pass through YUV.
        expect(Math.max(...far), `${form} at ${x}`).toBeLessThanOrEqual(form === 'video' ? 24 : 1);
      }
    }
  });

  test.skipIf(why !== '')(`says what is wrong with an image, and goes on${why}`, async () => {
    const { found, after } = await (await open()).evaluate<{ found: string[]; after: number[] }>(refusals(port()));
    expect(found).toEqual([
      expect.stringMatching(/^invalid_data: The ImageBitmap has the size 0 × 0: it was closed/),
      expect.stringMatching(/^invalid_data: The HTMLImageElement has the size 0 × 0: it is not loaded/),
      expect.stringMatching(/^invalid_data: The HTMLVideoElement has the size 0 × 0: it has no picture yet/),
      expect.stringMatching(/^invalid_data: The Blob of 8 bytes and the type "" is no image/),
      expect.stringMatching(/^invalid_argument: The HTMLImageElement comes from another site.*crossorigin/),
    ]);
    expect(after).toEqual([255, 0, 0, 255, 0, 0]);
  });

  // 1 to 2 ms on an idle machine; several times as much means that pixels go another way.
  test.skipIf(why !== '' || name !== 'Chromium')(`a frame of 1280 × 720 is a tensor in good time${why}`, async () => {
    const least = await (await open()).evaluate<number>(timing);
    console.log(`a frame of 1280 × 720: ${least.toFixed(2)} ms`);
    expect(least).toBeLessThan(5);
  });
});
