// The TypeScript side of the C ABI is what the header says.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
// @ts-expect-error: a script without declarations
import { generated, target } from '../scripts/c-abi.mjs';
import { dtypeNumbers, tensorLayout } from '../src/engine/c-abi.js';

test('src/engine/c-abi.ts is fresh; after a change of engine/c_api.h run npm run c-abi -w web', async () => {
  expect(await readFile(target, 'utf8')).toBe(await generated());
});

test("numbers are ONNX's, members lie where wasm32 has them", () => {
  expect(dtypeNumbers).toMatchObject({ float32: 1, string: 8, bfloat16: 16, int2: 26 });
  expect(tensorLayout).toEqual({ size: 20, dtype: 0, rank: 4, dims: 8, data: 12, byte_length: 16 });
});
