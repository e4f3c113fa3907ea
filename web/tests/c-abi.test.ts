// The TypeScript side of the C ABI is what the header says.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
// @ts-expect-error: a script without declarations
import { generated, target } from '../scripts/c-abi.mjs';
import { addressParameters, dtypeNumbers, tensorLayout, tensorLayout64 } from '../src/engine/c-abi.js';

test('src/engine/c-abi.ts is fresh; after a change of engine/c_api.h run npm run c-abi -w web', async () => {
  expect(await readFile(target, 'utf8')).toBe(await generated());
});

test("numbers are ONNX's, members lie where wasm32 and wasm64 have them", () => {
  expect(dtypeNumbers).toMatchObject({ float32: 1, string: 8, bfloat16: 16, int2: 26 });
  expect(tensorLayout).toEqual({ size: 20, dtype: 0, rank: 4, dims: 8, data: 12, byte_length: 16 });
  expect(tensorLayout64).toEqual({ size: 32, dtype: 0, rank: 4, dims: 8, data: 16, byte_length: 24 });
});

test('pointers and sizes are addresses, other numbers are not', () => {
  expect(addressParameters).toMatchObject({ nm_input: [0, 3], nm_model_bytes: [0, 1, 2], nm_set_threads: [] });
  expect(addressParameters).not.toHaveProperty('nm_alloc'); // like most, it has one parameter that is an address, the first
});
