import { describe, expect, test } from 'vitest';
import { isDot, render, type Stroke, size } from '../src/draw/ink.ts';

const line = (x1: number, y1: number, x2: number, y2: number): Stroke => [
  { x: x1, y: y1 },
  { x: x2, y: y2 },
];
const at = (ink: Float32Array, x: number, y: number) => ink[y * size + x] as number;

describe('render', () => {
  test('puts the drawing into a box of 20 pixels in the middle of the frame', () => {
    const ink = render([line(0, 0, 1, 0), line(1, 0, 1, 1), line(1, 1, 0, 1), line(0, 1, 0, 0)]);
    for (const [x, y] of [
      [4, 4],
      [23, 4],
      [4, 23],
      [23, 23],
    ] as const) {
      expect(at(ink, x, y)).toBe(1);
    }
    expect(at(ink, 13, 13)).toBe(0);
    expect(at(ink, 1, 13)).toBe(0);
  });

  test('depends neither on the size nor on the place of the drawing', () => {
    const small = render([line(0.1, 0.1, 0.15, 0.2)]);
    const large = render([line(0.3, 0.1, 0.7, 0.9)]);
    small.forEach((value, i) => {
      expect(value).toBeCloseTo(large[i] as number, 4);
    });
  });

  test('a single point is a dot in the middle', () => {
    const ink = render([[{ x: 0.9, y: 0.2 }]]);
    expect(at(ink, 13, 13)).toBeGreaterThan(0.9);
    expect(ink.reduce((sum, value) => sum + value)).toBeLessThan(9);
  });

  test('a line has the width of the pen', () => {
    const ink = render([line(0, 0, 0, 1)]);
    const row = Array.from({ length: size }, (_, x) => at(ink, x, 14)).reduce((sum, value) => sum + value);
    expect(row).toBeGreaterThan(2.2);
    expect(row).toBeLessThan(2.6);
  });
});

test('a tap is a dot, a small digit is none', () => {
  expect(isDot([[{ x: 0.5, y: 0.5 }]])).toBe(true);
  expect(isDot([line(0.5, 0.5, 0.505, 0.51)])).toBe(true);
  expect(isDot([line(0.5, 0.5, 0.5, 0.55)])).toBe(false);
  expect(isDot([[{ x: 0.2, y: 0.5 }], [{ x: 0.8, y: 0.5 }]])).toBe(false);
});
