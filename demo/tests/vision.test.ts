import { describe, expect, test } from 'vitest';
import type { PictureInput } from '../src/catalogue.ts';
import { type Box, decodeFaces, decodeYolox, intersectionOverUnion, suppress } from '../src/vision/boxes.ts';
import { rank } from '../src/vision/classes.ts';
import { place, toTensor } from '../src/vision/picture.ts';

const input: PictureInput = {
  type: 'float32',
  layout: 'nchw',
  channels: 'rgb',
  width: 100,
  height: 50,
  fit: 'stretch',
  mean: [0, 0, 0],
  scale: [1, 1, 1],
};
const box = (left: number, top: number, right: number, bottom: number, score = 1, label = 0): Box => {
  return { left, top, right, bottom, score, label };
};

describe('placement of a picture of 200 by 200', () => {
  test.each([
    ['stretch', { scaleX: 0.5, scaleY: 0.25, left: 0, top: 0 }],
    ['cover', { scaleX: 0.5, scaleY: 0.5, left: 0, top: -25 }],
    ['letterbox', { scaleX: 0.25, scaleY: 0.25, left: 0, top: 0 }],
  ] as const)('%s', (fit, expected) => {
    expect(place({ ...input, fit }, 200, 200)).toEqual(expected);
  });
});

describe('tensor of two pixels', () => {
  const pixels = [10, 20, 30, 255, 40, 50, 60, 255];
  const two = { ...input, width: 2, height: 1 };

  test('planes, in the order of the channels', () => {
    expect([...toTensor(pixels, two).toFloat32()]).toEqual([10, 40, 20, 50, 30, 60]);
    expect([...toTensor(pixels, { ...two, channels: 'bgr' }).toFloat32()]).toEqual([30, 60, 20, 50, 10, 40]);
  });

  test('interleaved, normalised, in half precision', () => {
    const half = toTensor(pixels, { ...two, type: 'float16', layout: 'nhwc', mean: [10, 20, 30], scale: [0.5, 1, 2] });
    expect(half.type).toBe('float16');
    expect(half.shape).toEqual([1, 1, 2, 3]);
    expect([...half.toFloat32()]).toEqual([0, 0, 0, 15, 30, 60]);
  });

  test('one channel is the luminance', () => {
    const gray = toTensor([255, 255, 255, 255, 0, 0, 0, 255], { ...two, channels: 'gray' });
    expect(gray.shape).toEqual([1, 1, 1, 2]);
    expect(gray.toFloat32()[0]).toBeCloseTo(255, 3);
  });
});

describe('boxes', () => {
  test('overlap', () => {
    expect(intersectionOverUnion(box(0, 0, 2, 2), box(1, 0, 3, 2))).toBeCloseTo(1 / 3);
    expect(intersectionOverUnion(box(0, 0, 1, 1), box(1, 1, 2, 2))).toBe(0);
  });

  test('suppression keeps the best of a class, and other classes', () => {
    const kept = suppress([box(0, 0, 10, 10, 0.5), box(1, 0, 11, 10, 0.9), box(1, 0, 11, 10, 0.4, 1)], 0.5);
    expect(kept.map(({ score }) => score)).toEqual([0.9, 0.4]);
  });

  test('faces come back in the pixels of the picture', () => {
    const scores = Float32Array.of(0.9, 0.1, 0.05, 0.95);
    const corners = Float32Array.of(0, 0, 1, 1, 0.5, 0.5, 1, 1);
    const placement = place({ ...input, fit: 'stretch' }, 200, 200);
    const [face, ...others] = decodeFaces(scores, corners, input, placement);
    expect(others).toEqual([]);
    expect(face).toMatchObject({ left: 100, top: 100, right: 200, bottom: 200 });
  });

  test('YOLOX cells: stride 8 first, offsets in cells, sizes as exponents', () => {
    const size = { width: 32, height: 32 };
    const rows = new Float32Array((16 + 4 + 1) * 7);
    // Cell (1, 2) of the stride-16 grid does not exist; cell (1, 0) is row 16 + 1.
    rows.set([0.5, 0.25, Math.log(2), 0, 0.8, 0.1, 0.9], 17 * 7);
    const placement = { scaleX: 0.5, scaleY: 0.5, left: 0, top: 0 };
    const [found, ...others] = decodeYolox(rows, 2, size, placement);
    expect(others).toEqual([]);
    expect(found?.label).toBe(1);
    expect(found?.score).toBeCloseTo(0.72);
    // Centre (24, 4), 32 by 16 in the input; twice that in the picture.
    const rounded = Object.fromEntries(Object.entries(found as Box).map(([side, value]) => [side, Math.round(value)]));
    expect(rounded).toMatchObject({ left: 16, right: 80, top: -8, bottom: 24 });
  });
});

describe('ranking', () => {
  test('probabilities stay, logits are turned into probabilities', () => {
    expect(rank(Float32Array.of(0.1, 0.7, 0.2), ['a', 'b', 'c'], 2)).toMatchObject([{ label: 'b' }, { label: 'c' }]);
    const [first] = rank(Float32Array.of(0, Math.log(3)), ['a', 'b']);
    expect(first?.share).toBeCloseTo(0.75);
  });

  test('a class for the background shifts the labels', () => {
    expect(rank(Float32Array.of(0, 0, 9), ['a', 'b'])[0]?.label).toBe('b');
    expect(rank(Float32Array.of(9, 0, 0), ['a', 'b'])[0]?.label).toBe('background');
  });
});
