// A module that has just what the handwriting model needs (./dev build --ops-of), beside the whole one.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { Session, Tensor } from '../dist/index.js';
import { pack } from '../dist/pack.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const reduced = at('build/reduced-wasm/neuromancer.wasm');
const onnx = readFileSync(at('models/handwriting/handwriting.onnx'));
const why = built('wasm') && existsSync(reduced) ? '' : ' (skipped: ./dev build --ops-of has not made one)';

describe.skipIf(why !== '')(`A reduced module${why}`, () => {
  let wasm: Uint8Array<ArrayBuffer>;
  beforeAll(() => {
    wasm = new Uint8Array(readFileSync(reduced));
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
    expect(wasm.length).toBeLessThan(420_000);
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
