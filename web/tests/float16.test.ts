import { expect, test } from 'vitest';
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from '../src/values/float16.js';

test('every half that is a number survives the way to float32 and back', () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = float16Value(bits);
    if (!Number.isNaN(value)) expect(float16Bits(value)).toBe(bits);
  }
});

test('rounds to the nearest half, ties to even, over the whole range', () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const low = float16Value(bits);
    const high = float16Value(bits + 1);
    const even = bits % 2 === 0 ? bits : bits + 1;
    expect(float16Bits((low + high) / 2)).toBe(even);
    expect(float16Bits(low + (high - low) * 0.4375)).toBe(bits);
    expect(float16Bits(low + (high - low) * 0.5625)).toBe(bits + 1);
  }
});

test('the ends of the range', () => {
  expect(float16Bits(65519)).toBe(0x7bff);
  expect(float16Bits(65520)).toBe(0x7c00);
  expect(float16Bits(Number.NEGATIVE_INFINITY)).toBe(0xfc00);
  expect(float16Bits(2 ** -26)).toBe(0);
  expect(Object.is(float16Value(0x8000), -0)).toBe(true);
  expect(float16Value(float16Bits(Number.NaN))).toBeNaN();
});

test('bfloat16 rounds to nearest, ties to even', () => {
  expect(bfloat16Bits(1 + 2 ** -8)).toBe(0x3f80);
  expect(bfloat16Bits(1 + 3 * 2 ** -8)).toBe(0x3f82);
  expect(bfloat16Bits(Number.MAX_VALUE)).toBe(0x7f80);
  expect(bfloat16Value(bfloat16Bits(Number.NaN))).toBeNaN();
  for (let bits = 0; bits < 65536; bits += 7) {
    const value = bfloat16Value(bits);
    if (!Number.isNaN(value)) expect(bfloat16Bits(value)).toBe(bits);
  }
});
