// What neuromancer/ort does beyond onnxruntime-web, and how its errors look.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'neuromancer/ort';
import * as common from 'onnxruntime-common';
import { describe, expect, test, vi } from 'vitest';
import { modelOf } from '../../web/tests/onnx-writer.ts';
import { fileOfWeights, models } from './models.ts';

const identity = (type: string) =>
  ort.InferenceSession.create(modelOf([{ op: 'Identity', inputs: ['x'], outputs: ['y'] }], { x: type }, { y: type }));

describe('types that onnxruntime-common has no form for', () => {
  test.each([
    ['bfloat16', Uint16Array.of(0x3f80, 0x4000), [2]],
    ['float8e4m3fn', Uint8Array.of(1, 2, 3), [3]],
    ['float8e5m2fnuz', Uint8Array.of(1, 2, 3), [3]],
    ['float4e2m1', Uint8Array.of(0x21, 0x03), [3]],
    ['int2', Uint8Array.of(0b11_10_01), [3]],
    ['complex64', Float32Array.of(1, 2), [1]],
  ] as const)('%s', async (type, data, dims) => {
    const session = await identity(type);
    expect(session.inputMetadata).toMatchObject([{ isTensor: true, type }]);
    const x = ort.tensorOf(type, data, dims);
    expect(x).toBeInstanceOf(common.Tensor);
    expect(x).toMatchObject({ type, dims, location: 'cpu' });
    const { y } = (await session.run({ x })) as { y: ort.Tensor };
    expect(y).toBeInstanceOf(common.Tensor);
    expect([y.type, y.dims, y.data, y.size]).toEqual([type, dims, data, dims[0]]);
    expect(y.reshape([1, ...dims]).dims).toEqual([1, ...dims]);
    expect(() => y.reshape([77])).toThrow(/dims \[77\]/);
    y.dispose();
    expect(() => y.data).toThrow(/disposed/);
    await expect(session.run({ x: y })).rejects.toMatchObject({ code: 'invalid_data', input: 'x' });
  });

  test.each(['int4', 'uint4'] as const)('%s, which onnxruntime-common has', async (type) => {
    const session = await identity(type);
    const x = new ort.Tensor(type, Uint8Array.of(0x21, 0x03) as never, [3]);
    const { y } = await session.run({ x });
    expect([y?.type, y?.dims, Array.from(y?.data as Uint8Array)]).toEqual([type, [3], [0x21, 0x03]]);
  });
});

test('plain objects are taken as tensors, whoever made them', async () => {
  const session = await identity('float32');
  const x = { type: 'float32', data: Float32Array.of(1, 2), dims: [2] } as unknown as ort.Tensor;
  expect((await session.run({ x })).y?.data).toEqual(Float32Array.of(1, 2));
});

test('a tensor that is on no CPU is downloaded', async () => {
  const session = await identity('float32');
  const gpuBuffer = {} as never;
  const x = common.Tensor.fromGpuBuffer(gpuBuffer, {
    dataType: 'float32',
    dims: [2],
    download: async () => Float32Array.of(3, 4),
  });
  expect((await session.run({ x })).y?.data).toEqual(Float32Array.of(3, 4));
});

test('sequences go out, and in again', async () => {
  const made = await ort.InferenceSession.create(models.sequence);
  const two = (a: number, b: number) => new ort.Tensor('float32', [a, b], [2]);
  const { s } = await made.run({ a: two(1, 2), b: two(3, 4) });
  expect(s).toMatchObject({ type: 'sequence(float32)', dims: [2] });
  expect(s).toBeInstanceOf(ort.OtherValue);
  const at = await ort.InferenceSession.create(
    modelOf([{ op: 'SequenceLength', inputs: ['s'], outputs: ['n'] }], { s: 'sequence(float32)' }, { n: 'int64[]' }),
  );
  expect((await at.run({ s: s as ort.Tensor })).n?.data).toEqual(BigInt64Array.of(2n));
  expect((await at.run({ s: [two(1, 2)] as never })).n?.data).toEqual(BigInt64Array.of(1n));
});

test('maps are Maps', async () => {
  const session = await ort.InferenceSession.create(
    modelOf(
      [
        {
          op: 'ZipMap',
          domain: 'ai.onnx.ml',
          inputs: ['x'],
          outputs: ['y'],
          attributes: { classlabels_strings: ['a', 'b'] },
        },
      ],
      { x: 'float32[n,2]' },
      { y: 'sequence(map(string,float32))' },
    ),
  );
  const { y } = await session.run({ x: new ort.Tensor('float32', [1, 2, 3, 4], [2, 2]) });
  expect(y?.data).toEqual([
    new Map([
      ['a', 1],
      ['b', 2],
    ]),
    new Map([
      ['a', 3],
      ['b', 4],
    ]),
  ]);
});

test('an old opset', async () => {
  const old = modelOf(
    [{ op: 'Upsample', inputs: ['x', 's'], outputs: ['y'] }],
    { x: 'float32[1,1,1,2]' },
    { y: 'float32[1,1,1,4]' },
    { opset: 9, weights: { s: { dims: [4], data: [1, 1, 1, 2] } } },
  );
  const session = await ort.InferenceSession.create(old);
  const { y } = await session.run({ x: new ort.Tensor('float32', [1, 2], [1, 1, 1, 2]) });
  expect(y?.data).toEqual(Float32Array.of(1, 1, 2, 2));
});

describe('errors carry what is known', () => {
  test('of a model', async () => {
    await expect(ort.InferenceSession.create(models.unknownOperator)).rejects.toMatchObject({
      name: 'NeuromancerError',
      code: 'unsupported_operator',
      message: expect.stringContaining('Frobnicate'),
    });
  });

  test('of an input', async () => {
    const session = await ort.InferenceSession.create(models.arithmetic);
    const a = new ort.Tensor('float32', [1, 2], [1, 2]);
    const b = new ort.Tensor('float32', [1, 2, 3], [3]);
    await expect(session.run({ a, b })).rejects.toMatchObject({ code: 'shape_mismatch', input: 'a' });
    await expect(session.run({ a: b, b: new ort.Tensor('int32', [1, 2, 3], [3]) })).rejects.toBeInstanceOf(Error);
  });

  test('of a tensor made for an output', async () => {
    const session = await identity('float32');
    const x = new ort.Tensor('float32', [1, 2], [2]);
    const run = session.run({ x }, { y: new ort.Tensor('float32', [1], [1]) });
    await expect(run).rejects.toMatchObject({ code: 'shape_mismatch', expected: 'float32[1]', actual: 'float32[2]' });
  });

  test('of an option', async () => {
    const create = ort.InferenceSession.create(models.arithmetic, { graphOptimizationLevel: 'fast' as never });
    await expect(create).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('"all"') });
  });
});

test.each(['../weights.bin', 'in/../../weights.bin'])(
  'data outside of the model’s folder are not looked for: %s',
  async (file) => {
    const folder = mkdtempSync(join(tmpdir(), 'ort-'));
    mkdirSync(join(folder, 'in'));
    writeFileSync(join(folder, 'weights.bin'), fileOfWeights);
    const model = join(folder, 'in', 'model.onnx');
    writeFileSync(model, models.withFile(file));
    await expect(ort.InferenceSession.create(model)).rejects.toMatchObject({ code: 'invalid_model' });
  },
);

test('data in a folder beside the model are found', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ort-'));
  mkdirSync(join(folder, 'a b#1'));
  writeFileSync(join(folder, 'a b#1', 'weights.bin'), fileOfWeights);
  writeFileSync(join(folder, 'model.onnx'), models.withFile('a b#1/weights.bin'));
  const session = await ort.InferenceSession.create(join(folder, 'model.onnx'));
  expect((await session.run({ x: new ort.Tensor('float32', [1, 2], [2]) })).y?.data).toEqual(Float32Array.of(11, 22));
});

test('a string tensor made for an output receives it', async () => {
  const session = await identity('string');
  const made = new ort.Tensor('string', ['', ''], [2]);
  const { y } = await session.run({ x: new ort.Tensor('string', ['a', 'b'], [2]) }, { y: made });
  expect(y).toBe(made);
  expect(made.data).toEqual(['a', 'b']);
});

test('a signal cancels', async () => {
  const session = await identity('float32');
  const options = { signal: AbortSignal.abort() } as ort.InferenceSession.RunOptions;
  await expect(session.run({ x: new ort.Tensor('float32', [1], [1]) }, options)).rejects.toMatchObject({
    code: 'cancelled',
  });
});

test('profiles go where the environment says', async () => {
  const session = await identity('float32');
  const runs: unknown[][] = [];
  ort.env.neuromancer = { onProfile: (profiles) => runs.push([...profiles]) } satisfies ort.NeuromancerFlags;
  const x = new ort.Tensor('float32', [1], [1]);
  await session.run({ x });
  session.startProfiling();
  await session.run({ x });
  await session.run({ x });
  session.endProfiling();
  session.endProfiling();
  expect(runs.map((each) => each.length)).toEqual([2]);
  expect(runs[0]?.[0]).toMatchObject({ milliseconds: expect.any(Number), steps: expect.any(Array) });
  ort.env.neuromancer = undefined;
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  session.startProfiling();
  await session.run({ x });
  session.endProfiling();
  expect(log.mock.calls.join()).toMatch(/1 runs, .* ms/);
  log.mockRestore();
});

test('a proxy is a worker; a time limit and an artefact are kept', async () => {
  const { wasm } = ort.env;
  wasm.proxy = true;
  wasm.initTimeout = 20_000;
  ort.env.neuromancer = { artefact: 'wasm' } satisfies ort.NeuromancerFlags;
  const session = await identity('float32');
  expect((await session.run({ x: new ort.Tensor('float32', [1], [1]) })).y?.data).toEqual(Float32Array.of(1));
  await session.release();
  wasm.proxy = false;
  wasm.initTimeout = 0;
  ort.env.neuromancer = { artefact: 'none' };
  await expect(identity('float32')).rejects.toMatchObject({ code: 'invalid_argument' });
  ort.env.neuromancer = undefined;
});

test('onnxruntime-common finds the engine', async () => {
  const session = await common.InferenceSession.create(models.arithmetic, { executionProviders: ['cpu'] });
  expect(session).toBeInstanceOf(ort.InferenceSession);
  expect(session.outputNames).toEqual(['total', 'product']);
});

describe('outputs that stay in the engine', () => {
  const two = (a: number, b: number) => new ort.Tensor('float32', [a, b], [1, 2]);
  const x = two(1, 2);

  /** The states of so many rounds. */
  async function rounds(session: ort.InferenceSession, count: number, first = two(0, 0)): Promise<ort.Tensor[]> {
    const states: ort.Tensor[] = [first];
    for (let i = 0; i < count; i++) {
      states.push((await session.run({ state: states[i] as ort.Tensor, x }, ['next'])).next as ort.Tensor);
    }
    return states;
  }

  test('are instances of the class, with type, dims and size', async () => {
    const session = await ort.InferenceSession.create(models.loop);
    const last = (await rounds(session, 3))[3] as ort.Tensor;
    expect(last).toBeInstanceOf(common.Tensor);
    expect(last).toMatchObject({ type: 'float32', dims: [1, 2], size: 2, location: 'gpu-buffer' });
    expect(last.reshape([2]).data).toEqual(Float32Array.of(3, 6));
    expect(await last.getData()).toBe(last.data);
    last.dispose();
    expect(last.location).toBe('none');
    expect(() => last.data).toThrow(/disposed/);
    await expect(last.getData()).rejects.toThrow(/disposed/);
    await expect(session.run({ state: last, x })).rejects.toMatchObject({ code: 'invalid_data' });
  });

  test('are all that there are, while they are small', async () => {
    const states = await rounds(await ort.InferenceSession.create(models.loop), 20);
    expect(states.map(({ location }) => location)).toEqual(['cpu', 'cpu', ...Array(19).fill('gpu-buffer')]);
    expect(states.map(({ data }) => (data as Float32Array)[1])).toEqual(Array.from(states, (_, i) => 2 * i));
  });

  test('are copied when the engine fills up, the older ones of a caller who disposes none', async () => {
    const rows = 2 ** 19; // 4 MiB
    const wide = new ort.Tensor('float32', new Float32Array(2 * rows), [rows, 2]);
    const states = await rounds(await ort.InferenceSession.create(models.loop), 48, wide);
    expect(states.slice(1, 39).map(({ location }) => location)).toEqual(Array(38).fill('cpu'));
    expect(states.slice(-2).map(({ location }) => location)).toEqual(Array(2).fill('gpu-buffer'));
    for (const [i, { data }] of states.entries()) expect((data as Float32Array).at(-1)).toBe(2 * i);
  });

  test('are a cache from its first run on', async () => {
    const session = await ort.InferenceSession.create(models.cache);
    const past = new ort.Tensor('float32', new Float32Array(), [0, 2]);
    const { 'present.0': present } = await session.run({ 'past.0': past, x }, ['present.0']);
    expect(present?.location).toBe('gpu-buffer');
    const { 'present.0': next } = await session.run({ 'past.0': present as ort.Tensor, x }, ['present.0']);
    expect([next?.dims, next?.data]).toEqual([[2, 2], Float32Array.of(1, 2, 1, 2)]);
  });

  test('are taken by another session as a copy, and in other dims', async () => {
    const [one, other] = [
      await ort.InferenceSession.create(models.loop),
      await ort.InferenceSession.create(models.loop),
    ];
    const last = (await rounds(one, 3))[3] as ort.Tensor;
    expect((await other.run({ state: last, x })).next?.data).toEqual(Float32Array.of(4, 8));
    const again = (await rounds(one, 3))[3] as ort.Tensor & { dims: number[] };
    const vector = await ort.InferenceSession.create(models.identity('float32'));
    again.dims = [2, 1];
    expect((await vector.run({ x: again })).y?.dims).toEqual([2, 1]);
    again.dims = [1, 2];
    expect((await one.run({ state: again, x })).next?.data).toEqual(Float32Array.of(4, 8));
  });

  test('stay from the first run on where the caller prefers it, in a worker as well', async () => {
    ort.env.wasm.proxy = true;
    const session = await ort.InferenceSession.create(models.loop, { preferredOutputLocation: { next: 'gpu-buffer' } });
    ort.env.wasm.proxy = false;
    const states = await rounds(session, 3);
    expect(states.slice(1).map(({ location }) => location)).toContain('gpu-buffer');
    const [y] = Object.values(await session.run({ state: states[3] as ort.Tensor, x }, ['y']));
    expect(y).toMatchObject({ location: 'cpu', data: Float32Array.of(16, 64) });
    await session.release();
    expect(states[3]?.data).toEqual(Float32Array.of(3, 6));
  });

  test('in a worker otherwise are copied: their data may be looked at without waiting', async () => {
    ort.env.wasm.proxy = true;
    const session = await ort.InferenceSession.create(models.loop);
    ort.env.wasm.proxy = false;
    expect((await rounds(session, 4)).map(({ location }) => location)).toEqual(Array(5).fill('cpu'));
    await session.release();
  });

  test('are written into tensors that the caller made', async () => {
    const session = await ort.InferenceSession.create(models.loop);
    const [, , last] = await rounds(session, 2);
    const made = two(0, 0);
    const { next } = await session.run({ state: last as ort.Tensor, x }, { next: made });
    expect(next).toBe(made);
    expect(made.data).toEqual(Float32Array.of(3, 6));
  });
});
