// A module that has just what the handwriting model needs (./dev build --ops-of), beside the whole one.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test as always, beforeAll, describe, expect } from 'vitest';
import { bundle } from '../dist/bundle.js';
import { Session, Tensor } from '../dist/index.js';
import { pack } from '../dist/pack.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const onnx = readFileSync(at('models/handwriting/handwriting.onnx'));

describe.each([
  { preset: 'wasm', most: 260_000 },
  { preset: 'wasm-scalar', most: 190_000 },
])('A reduced module of the preset $preset', ({ preset, most }) => {
  const file = at(`build/reduced-${preset}/neuromancer.wasm`);
  const test = built('wasm') && existsSync(file) ? always : always.skip; // ./dev build --ops-of has made none
  let wasm: Uint8Array<ArrayBuffer>;
  beforeAll(() => {
    if (existsSync(file)) wasm = new Uint8Array(readFileSync(file));
  });
  const load = (model: Uint8Array<ArrayBuffer>) => Session.load(model, { wasm, threads: 1 });

  test('gives what the whole one gives', async () => {
    const packed = await pack(onnx);
    const image = new Tensor(
      'float32',
      Float32Array.from({ length: 784 }, (_, i) => Math.abs(Math.sin(i))),
      [1, 1, 28, 28],
    );
    const answers = [];
    for (const session of [await load(packed), await Session.load(packed, { artefact: 'wasm', threads: 1 })]) {
      answers.push((await session.run({ image })).probabilities?.data);
      await session.release();
    }
    const [ours, whole] = answers.map((data) => Array.from(data as Float32Array));
    expect(ours).toHaveLength(36);
    ours?.forEach((value, i) => {
      expect(value).toBeCloseTo(whole?.[i] as number, 6);
    });
  });

  test('is a good deal smaller', () => {
    expect(wasm.length).toBeLessThan(most);
  });

  test('says that it reads packed models only', async () => {
    await expect(load(new Uint8Array(onnx))).rejects.toMatchObject({
      code: 'invalid_model',
      message: expect.stringContaining("make one with 'neuromancer pack'"),
    });
  });

  test('names the operators that it lacks, and what to do', async () => {
    const model = modelOf([{ op: 'Erf', inputs: ['x'], outputs: ['y'] }], { x: 'float32[2]' }, { y: 'float32[2]' });
    await expect(load(await pack(model))).rejects.toMatchObject({
      code: 'unsupported_operator',
      message: expect.stringMatching(/Erf.*reduced build.*--ops-of/),
    });
  });

  test('names the activation that it lacks', async () => {
    const model = modelOf(
      [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
        { op: 'Sigmoid', inputs: ['c'], outputs: ['y'] },
      ],
      { x: 'float32[1,1,4,4]', w: 'float32[1,1,1,1]' },
      { y: 'float32[1,1,4,4]' },
    );
    await expect(load(await pack(model))).rejects.toMatchObject({
      code: 'unsupported_operator',
      message: expect.stringMatching(/sigmoid.*reduced build.*--ops-of/),
    });
  });

  test('has no custom operators, and says so', async () => {
    const model = modelOf(
      [{ op: 'Flatten', inputs: ['x'], outputs: ['y'] }],
      { x: 'float32[2]' },
      { y: 'float32[2,1]' },
    );
    const operators = [{ domain: 'mine', name: 'Mine', run: () => [] }];
    await expect(Session.load(await pack(model), { wasm, threads: 1, operators })).rejects.toMatchObject({
      code: 'unsupported_operator',
      message: expect.stringContaining('whole module'),
    });
  });

  test('names the element type that it lacks', async () => {
    const model = modelOf(
      [{ op: 'Gemm', inputs: ['x', 'x'], outputs: ['y'] }],
      { x: 'float64[1,1]' },
      { y: 'float64[1,1]' },
    );
    await expect(
      load(await pack(model)).then((session) => session.run({ x: new Tensor('float64', [2], [1, 1]) })),
    ).rejects.toMatchObject({ message: expect.stringContaining('his reduced build has no float64') });
  });
});

const scalar = at('build/reduced-wasm-scalar/neuromancer.wasm');
describe.skipIf(!existsSync(scalar))('Without SIMD', () => {
  always('a bundle needs no more than 1 MiB, before and after a run', async () => {
    const bytes = await bundle(await pack(onnx), { wasm: new Uint8Array(readFileSync(scalar)) });
    const module = await WebAssembly.compile(bytes);
    const { exports } = await WebAssembly.instantiate(module, {});
    const memory = exports.memory as WebAssembly.Memory;
    const engine = exports as unknown as Record<string, (...numbers: number[]) => number>;
    const session = (exports.nm_session as WebAssembly.Global).value;
    const dims = engine.nm_alloc?.(32) as number;
    new BigInt64Array(memory.buffer, dims, 4).set([1n, 1n, 28n, 28n]);
    expect(engine.nm_input?.(session, 0, 1, dims, 4)).not.toBe(0);
    expect(engine.nm_run?.(session)).toBe(0);
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(1 << 20);
  });
});
