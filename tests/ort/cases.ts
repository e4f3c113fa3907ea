// What onnxruntime-web's documentation and declarations say it does. Each case tells in plain data what happened, so that
// it can be held against both packages.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Ort from 'onnxruntime-common';
import { fileOfWeights, models } from './models.ts';

export type Package = typeof Ort;

interface Case {
  readonly name: string;
  run(ort: Package): Promise<unknown>;
  /** What both packages are to tell. */
  readonly expected: unknown;
}

/** An error's class as far as onnxruntime-common distinguishes any. */
export async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return 'no error';
  } catch (error) {
    if (!(error instanceof Error)) return 'something that is no Error';
    return error instanceof TypeError || error instanceof RangeError ? error.name : 'Error';
  }
}

const plain = (tensor: Ort.Tensor) => ({
  type: tensor.type,
  dims: [...tensor.dims],
  data: Array.from(tensor.data as ArrayLike<unknown>),
  array: tensor.data.constructor.name,
});

const results = (outputs: Ort.InferenceSession.ReturnType) =>
  Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, plain(tensor)]));

const floats = (ort: Package, values: number[], dims = [values.length]) =>
  new ort.Tensor('float32', Float32Array.from(values), dims);

const arithmetic = (ort: Package, options?: Ort.InferenceSession.SessionOptions) =>
  ort.InferenceSession.create(models.arithmetic, options);

const feeds = (ort: Package) => ({ a: floats(ort, [1, 2, 3], [1, 3]), b: floats(ort, [10, 20, 30]) });

const total = { type: 'float32', dims: [1, 3], data: [11, 22, 33], array: 'Float32Array' };
const product = { type: 'float32', dims: [1, 3], data: [10, 40, 90], array: 'Float32Array' };

/** A folder with a model whose weights are in a file beside it. */
function folder(): { model: string; file: string } {
  const path = mkdtempSync(join(tmpdir(), 'ort-'));
  const [model, file] = [join(path, 'model.onnx'), join(path, 'weights.bin')];
  writeFileSync(model, models.withFile('weights.bin'));
  writeFileSync(file, fileOfWeights);
  return { model, file };
}

const withFile = async (ort: Package, from: string | Uint8Array, options?: Ort.InferenceSession.SessionOptions) => {
  const session = await ort.InferenceSession.create(from as string, options);
  return results(await session.run({ x: floats(ort, [1, 2]) }));
};
const sum = { y: { type: 'float32', dims: [2], data: [11, 22], array: 'Float32Array' } };

/** The data of an identity, by type. */
const samples: [Ort.Tensor.Type, (ort: Package) => Ort.Tensor, unknown][] = [
  ['float32', (o) => new o.Tensor('float32', [1.5, -2, 0], [1, 3]), [1.5, -2, 0]],
  ['float64', (o) => new o.Tensor('float64', [1.1, -2, 0], [1, 3]), [1.1, -2, 0]],
  ['int8', (o) => new o.Tensor('int8', [1, -2, 0], [1, 3]), [1, -2, 0]],
  ['uint8', (o) => new o.Tensor('uint8', [1, 200, 0], [1, 3]), [1, 200, 0]],
  ['int16', (o) => new o.Tensor('int16', [1, -2, 0], [1, 3]), [1, -2, 0]],
  ['uint16', (o) => new o.Tensor('uint16', [1, 60000, 0], [1, 3]), [1, 60000, 0]],
  ['int32', (o) => new o.Tensor('int32', [1, -2, 0], [1, 3]), [1, -2, 0]],
  ['uint32', (o) => new o.Tensor('uint32', [1, 4e9, 0], [1, 3]), [1, 4e9, 0]],
  ['int64', (o) => new o.Tensor('int64', [1, -2, 0], [1, 3]), [1n, -2n, 0n]],
  ['uint64', (o) => new o.Tensor('uint64', [1n, 2n, 0n], [1, 3]), [1n, 2n, 0n]],
  ['bool', (o) => new o.Tensor('bool', [true, false, true], [1, 3]), [1, 0, 1]],
  ['string', (o) => new o.Tensor('string', ['a', 'Zürich', ''], [1, 3]), ['a', 'Zürich', '']],
  ['float16', (o) => new o.Tensor('float16', Uint16Array.of(0x3c00, 0xc000, 0), [1, 3]), [1, -2, 0]],
];

const arrays: Partial<Record<Ort.Tensor.Type, string>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  int8: 'Int8Array',
  uint8: 'Uint8Array',
  int16: 'Int16Array',
  uint16: 'Uint16Array',
  int32: 'Int32Array',
  uint32: 'Uint32Array',
  int64: 'BigInt64Array',
  uint64: 'BigUint64Array',
  bool: 'Uint8Array',
  string: 'Array',
  float16: typeof Reflect.get(globalThis, 'Float16Array') === 'function' ? 'Float16Array' : 'Uint16Array',
};

const creating = (options: object) => (ort: Package) =>
  failure(() => arithmetic(ort, options as Ort.InferenceSession.SessionOptions));

const running = (options: object) => async (ort: Package) => {
  const session = await arithmetic(ort);
  return failure(() => session.run(feeds(ort), options as Ort.InferenceSession.RunOptions));
};

const feeding = (change: (ort: Package) => object) => async (ort: Package) => {
  const session = await arithmetic(ort);
  return failure(() => session.run({ ...feeds(ort), ...change(ort) } as Ort.InferenceSession.FeedsType));
};

/** The lines that the console gets. */
async function consoleOf(call: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const kept = { warn: console.warn, log: console.log, error: console.error };
  const note = (...texts: unknown[]) => void lines.push(texts.join(' '));
  Object.assign(console, { warn: note, log: note, error: note });
  try {
    await call();
  } finally {
    Object.assign(console, kept);
  }
  return lines;
}

export const cases: readonly Case[] = [
  // The session and what it says of itself.
  {
    name: 'a session from a Uint8Array has names and metadata',
    async run(ort) {
      const { inputNames, outputNames, inputMetadata, outputMetadata } = await arithmetic(ort);
      return { inputNames, outputNames, inputMetadata, outputMetadata };
    },
    expected: {
      inputNames: ['a', 'b'],
      outputNames: ['total', 'product'],
      inputMetadata: [
        { name: 'a', isTensor: true, type: 'float32', shape: ['batch', 3] },
        { name: 'b', isTensor: true, type: 'float32', shape: [3] },
      ],
      outputMetadata: [
        { name: 'total', isTensor: true, type: 'float32', shape: ['batch', 3] },
        { name: 'product', isTensor: true, type: 'float32', shape: ['batch', 3] },
      ],
    },
  },
  {
    name: 'metadata of dimensions without a name',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.vague);
      return [session.inputMetadata, session.outputMetadata];
    },
    expected: [
      [{ name: 'x', isTensor: true, type: 'float32', shape: [-1, 2] }],
      [{ name: 'y', isTensor: true, type: 'float32', shape: [-1, 2] }],
    ],
  },
  {
    name: 'metadata of a sequence',
    run: async (ort) =>
      (await ort.InferenceSession.create(models.sequence)).outputMetadata.map(({ name, isTensor }) => ({
        name,
        isTensor,
      })),
    expected: [{ name: 's', isTensor: false }],
  },
  {
    name: 'an input with a value of its own is no name of an input',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.withDefault);
      return [session.inputNames, results(await session.run({ x: floats(ort, [1, 2]) }))];
    },
    expected: [['x'], sum],
  },
  {
    name: 'a session from an ArrayBuffer',
    run: async (ort) => {
      const { buffer } = models.arithmetic.slice();
      return (await ort.InferenceSession.create(buffer)).inputNames;
    },
    expected: ['a', 'b'],
  },
  {
    name: 'a session from a part of an ArrayBuffer',
    async run(ort) {
      const bytes = new Uint8Array(models.arithmetic.length + 20).fill(255);
      bytes.set(models.arithmetic, 7);
      const session = await ort.InferenceSession.create(bytes.buffer, 7, models.arithmetic.length, {});
      return session.inputNames;
    },
    expected: ['a', 'b'],
  },
  {
    name: 'a session from a SharedArrayBuffer',
    async run(ort) {
      const shared = new SharedArrayBuffer(models.arithmetic.length);
      new Uint8Array(shared).set(models.arithmetic);
      return (await ort.InferenceSession.create(shared)).inputNames;
    },
    expected: ['a', 'b'],
  },
  {
    name: 'a part that is out of range',
    run: (ort) => failure(() => ort.InferenceSession.create(models.arithmetic.slice().buffer, 5, 1e6)),
    expected: 'RangeError',
  },
  {
    name: 'a session from nothing',
    run: (ort) => failure(() => ort.InferenceSession.create(undefined as never)),
    expected: 'TypeError',
  },
  {
    name: 'a session from a path',
    run: async (ort) => {
      const path = join(mkdtempSync(join(tmpdir(), 'ort-')), 'a model#1 (ä).onnx');
      writeFileSync(path, models.arithmetic);
      return (await ort.InferenceSession.create(path)).inputNames;
    },
    expected: ['a', 'b'],
  },
  {
    name: 'a file that is not there',
    run: (ort) => failure(() => ort.InferenceSession.create('/no/such/model.onnx')),
    expected: 'Error',
  },
  {
    name: 'bytes that are no model',
    run: (ort) => failure(() => ort.InferenceSession.create(Uint8Array.of(1, 2, 3))),
    expected: 'Error',
  },
  {
    name: 'an operator that is nowhere',
    run: (ort) => failure(() => ort.InferenceSession.create(models.unknownOperator)),
    expected: 'Error',
  },

  // External data.
  {
    name: 'external data as a path and bytes',
    run: (ort) =>
      withFile(ort, models.withFile('weights.bin'), { externalData: [{ path: 'weights.bin', data: fileOfWeights }] }),
    expected: sum,
  },
  {
    name: 'external data as an ArrayBuffer, the path with ./',
    run: (ort) =>
      withFile(ort, models.withFile('weights.bin'), {
        externalData: [{ path: './weights.bin', data: fileOfWeights.slice().buffer }],
      }),
    expected: sum,
  },
  {
    name: 'external data as a Blob',
    run: (ort) =>
      withFile(ort, models.withFile('weights.bin'), {
        externalData: [{ path: 'weights.bin', data: new Blob([fileOfWeights]) }],
      }),
    expected: sum,
  },
  {
    name: 'external data as the path of a file',
    run: (ort) => {
      const { model, file } = folder();
      return withFile(ort, model, { externalData: [{ path: 'weights.bin', data: file }] });
    },
    expected: sum,
  },
  {
    name: 'external data that nobody gives, the model being bytes',
    run: (ort) => failure(() => ort.InferenceSession.create(models.withFile('weights.bin'))),
    expected: 'Error',
  },
  {
    name: 'external data that nobody gives, in a file beside the model',
    run: (ort) => withFile(ort, folder().model).catch(() => 'Error'),
    expected: sum,
  },

  // Session options.
  ...['disabled', 'basic', 'extended', 'layout', 'all'].map((graphOptimizationLevel) => ({
    name: `graphOptimizationLevel "${graphOptimizationLevel}"`,
    run: async (ort: Package) =>
      results(await (await arithmetic(ort, { graphOptimizationLevel } as object)).run(feeds(ort))),
    expected: { total, product },
  })),
  { name: 'graphOptimizationLevel "fast"', run: creating({ graphOptimizationLevel: 'fast' }), expected: 'Error' },
  { name: 'executionMode "parallel"', run: creating({ executionMode: 'parallel' }), expected: 'no error' },
  { name: 'executionMode "sideways"', run: creating({ executionMode: 'sideways' }), expected: 'Error' },
  { name: 'logSeverityLevel 4', run: creating({ logSeverityLevel: 4 }), expected: 'no error' },
  { name: 'logSeverityLevel 7', run: creating({ logSeverityLevel: 7 }), expected: 'Error' },
  { name: 'logVerbosityLevel 1.5', run: creating({ logVerbosityLevel: 1.5 }), expected: 'Error' },
  {
    name: 'options that tune onnxruntime',
    run: creating({
      enableCpuMemArena: false,
      enableMemPattern: false,
      interOpNumThreads: 1,
      intraOpNumThreads: 1,
      logId: 'x',
      extra: { session: { set_denormal_as_zero: '1', disable_prepacking: true } },
    }),
    expected: 'no error',
  },
  { name: 'extra with a function in it', run: creating({ extra: { session: { x: () => 1 } } }), expected: 'Error' },
  {
    name: 'freeDimensionOverrides with a fraction',
    run: creating({ freeDimensionOverrides: { batch: 1.5 } }),
    expected: 'Error',
  },
  {
    name: 'freeDimensionOverrides fix a dimension',
    async run(ort) {
      const session = await arithmetic(ort, { freeDimensionOverrides: { batch: 1, other: 3 } });
      const two = { ...feeds(ort), a: floats(ort, [1, 2, 3, 4, 5, 6], [2, 3]) };
      return [
        session.inputMetadata.map((info) => info.isTensor && info.shape),
        results(await session.run(feeds(ort))),
        await failure(() => session.run(two)),
      ];
    },
    expected: [[[1, 3], [3]], { total, product }, 'Error'],
  },
  ...['cpu', 'cpu-pinned'].map((preferredOutputLocation) => ({
    name: `preferredOutputLocation "${preferredOutputLocation}"`,
    run: async (ort: Package) => {
      const session = await arithmetic(ort, { preferredOutputLocation } as object);
      return (await session.run(feeds(ort))).total?.location;
    },
    expected: 'cpu',
  })),
  { name: 'preferredOutputLocation "moon"', run: creating({ preferredOutputLocation: 'moon' }), expected: 'Error' },
  ...[['wasm'], ['cpu'], [{ name: 'wasm' }], [{ name: 'cpu' }], ['wasm', 'cpu'], []].map((executionProviders) => ({
    name: `executionProviders ${JSON.stringify(executionProviders)}`,
    run: async (ort: Package) => {
      let numbers: unknown;
      const lines = await consoleOf(async () => {
        numbers = results(await (await arithmetic(ort, { executionProviders })).run(feeds(ort)));
      });
      return { numbers, lines };
    },
    expected: { numbers: { total, product }, lines: [] },
  })),
  {
    name: 'executionProviders ["cuda", "wasm"] say that there is no "cuda"',
    run: async (ort) =>
      (await consoleOf(() => arithmetic(ort, { executionProviders: ['cuda', 'wasm'] }))).map((line) =>
        line.slice(0, 44),
      ),
    expected: ['removing requested execution provider "cuda"'],
  },
  { name: 'executionProviders ["cuda"]', run: creating({ executionProviders: ['cuda'] }), expected: 'Error' },
  {
    name: 'executionProviders ["webgpu"] compute, with one line on the console',
    run: async (ort) => {
      let numbers: unknown;
      const lines = await consoleOf(async () => {
        for (const executionProviders of [['webgpu'], [{ name: 'webgpu' }]]) {
          numbers = results(await (await arithmetic(ort, { executionProviders })).run(feeds(ort)));
        }
      }).catch(() => '');
      return { numbers, lines: lines.length };
    },
    expected: { numbers: { total, product }, lines: 1 },
  },

  // Runs.
  {
    name: 'a run gives every output',
    run: async (ort) => results(await (await arithmetic(ort)).run(feeds(ort))),
    expected: { total, product },
  },
  {
    name: 'outputs are Tensors of the class that is exported',
    async run(ort) {
      const { total: output } = await (await arithmetic(ort)).run(feeds(ort));
      return [output instanceof ort.Tensor, output?.location, output?.size, await output?.getData()];
    },
    expected: [true, 'cpu', 3, Float32Array.of(11, 22, 33)],
  },
  {
    name: 'fetches by name',
    run: async (ort) => results(await (await arithmetic(ort)).run(feeds(ort), ['product'])),
    expected: { product },
  },
  {
    name: 'fetches by name, and options',
    run: async (ort) => results(await (await arithmetic(ort)).run(feeds(ort), ['product'], { tag: 't' })),
    expected: { product },
  },
  {
    name: 'fetches as an object with null',
    run: async (ort) => results(await (await arithmetic(ort)).run(feeds(ort), { total: null })),
    expected: { total },
  },
  {
    name: 'fetches as Tensors are written into, and returned',
    async run(ort) {
      const made = floats(ort, [0, 0, 0], [1, 3]);
      const { data } = made;
      const outputs = await (await arithmetic(ort)).run(feeds(ort), { total: made, product: null });
      return [outputs.total === made, made.data === data, results(outputs)];
    },
    expected: [true, true, { total, product }],
  },
  {
    name: 'a fetched Tensor of another size',
    run: async (ort) => {
      const session = await arithmetic(ort);
      return failure(() => session.run(feeds(ort), { total: floats(ort, [0, 0, 0, 0], [1, 4]) }));
    },
    expected: 'Error',
  },
  {
    name: 'a fetched Tensor of another type',
    run: async (ort) => {
      const session = await arithmetic(ort);
      return failure(() => session.run(feeds(ort), { total: new ort.Tensor('int32', [0, 0, 0], [1, 3]) }));
    },
    expected: 'Error',
  },
  {
    name: 'a fetched Tensor of strings',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.identity('string'));
      const made = new ort.Tensor('string', ['', ''], [1, 2]);
      return failure(async () =>
        results(await session.run({ x: new ort.Tensor('string', ['a', 'b'], [1, 2]) }, { y: made })),
      );
    },
    expected: 'no error',
  },
  {
    name: 'fetches that are empty',
    run: async (ort) => {
      const s = await arithmetic(ort);
      return failure(() => s.run(feeds(ort), []));
    },
    expected: 'TypeError',
  },
  {
    name: 'fetches of no output',
    run: async (ort) => {
      const s = await arithmetic(ort);
      return failure(() => s.run(feeds(ort), ['sum']));
    },
    expected: 'RangeError',
  },
  {
    name: 'a missing input',
    run: async (ort) => {
      const s = await arithmetic(ort);
      return failure(() => s.run({ a: feeds(ort).a }));
    },
    expected: 'Error',
  },
  { name: 'an input that the model has not', run: feeding((ort) => ({ c: floats(ort, [1]) })), expected: 'Error' },
  {
    name: 'feeds that are no object',
    run: async (ort) => {
      const s = await arithmetic(ort);
      return failure(() => s.run(3 as never));
    },
    expected: 'TypeError',
  },
  {
    name: 'an input of another type',
    run: feeding((ort) => ({ b: new ort.Tensor('int32', [1, 2, 3], [3]) })),
    expected: 'Error',
  },
  {
    name: 'an input of another rank',
    run: feeding((ort) => ({ b: floats(ort, [1, 2, 3], [1, 3]) })),
    expected: 'Error',
  },
  { name: 'an input of another size', run: feeding((ort) => ({ b: floats(ort, [1, 2, 3, 4]) })), expected: 'Error' },
  {
    name: 'an input that was disposed',
    run: feeding((ort) => {
      const b = floats(ort, [1, 2, 3]);
      b.dispose();
      return { b };
    }),
    expected: 'Error',
  },
  {
    name: 'run options',
    run: running({ tag: 'a', logSeverityLevel: 3, logVerbosityLevel: 1, extra: { memory: { x: '1' } } }),
    expected: 'no error',
  },
  { name: 'run option terminate', run: running({ terminate: true }), expected: 'Error' },
  { name: 'run option logSeverityLevel 9', run: running({ logSeverityLevel: 9 }), expected: 'Error' },
  { name: 'run option logVerbosityLevel 1.5', run: running({ logVerbosityLevel: 1.5 }), expected: 'Error' },
  {
    name: 'many runs at once',
    async run(ort) {
      const session = await arithmetic(ort);
      const runs = [1, 2, 3, 4].map((a) => session.run({ ...feeds(ort), a: floats(ort, [a, a, a], [1, 3]) }));
      return (await Promise.all(runs)).map((outputs) => outputs.product?.data[2]);
    },
    expected: [30, 60, 90, 120],
  },
  {
    name: 'a run takes the inputs when it is called',
    async run(ort) {
      const session = await arithmetic(ort);
      const given = feeds(ort);
      const run = session.run(given);
      (given.a.data as Float32Array).fill(0);
      return results(await run).total;
    },
    expected: total,
  },
  {
    name: 'outputs stay as they are in later runs',
    async run(ort) {
      const session = await arithmetic(ort);
      const first = await session.run(feeds(ort));
      await session.run({ ...feeds(ort), a: floats(ort, [9, 9, 9], [1, 3]) });
      return results(first);
    },
    expected: { total, product },
  },
  ...samples.map(([type, make, data]) => ({
    name: `${type} goes through`,
    run: async (ort: Package) => {
      const session = await ort.InferenceSession.create(models.identity(type));
      const { y } = await session.run({ x: make(ort) });
      return [session.inputMetadata, y && plain(y)];
    },
    expected: [
      [{ name: 'x', isTensor: true, type, shape: ['rows', 'columns'] }],
      { type, dims: [1, 3], data, array: arrays[type] },
    ],
  })),
  {
    name: 'an empty tensor',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.identity('float32'));
      return results(await session.run({ x: floats(ort, [], [0, 3]) }));
    },
    expected: { y: { type: 'float32', dims: [0, 3], data: [], array: 'Float32Array' } },
  },
  {
    name: 'a scalar as dims []',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.scaled);
      return results(await session.run({ x: floats(ort, [1, 2]), factor: floats(ort, [3], []) }));
    },
    expected: { y: { type: 'float32', dims: [2], data: [3, 6], array: 'Float32Array' } },
  },
  {
    name: 'a scalar as dims [1]',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.scaled);
      return results(await session.run({ x: floats(ort, [1, 2]), factor: floats(ort, [3], [1]) }));
    },
    expected: { y: { type: 'float32', dims: [2], data: [3, 6], array: 'Float32Array' } },
  },
  {
    name: 'Concat with an empty operand',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.joined);
      return results(await session.run({ x: floats(ort, [1, 2], [1, 2]), z: floats(ort, [], [0, 2]) }));
    },
    expected: { y: { type: 'float32', dims: [1, 2], data: [1, 2], array: 'Float32Array' } },
  },
  {
    name: 'an error in the middle of a run leaves the session usable',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.reshaped);
      const x = floats(ort, [1, 2, 3, 4, 5, 6]);
      const shape = (...dims: number[]) => new ort.Tensor('int64', dims, [2]);
      return [
        await failure(() => session.run({ x, shape: shape(4, 4) })),
        results(await session.run({ x, shape: shape(2, -1) })).y,
      ];
    },
    expected: ['Error', { type: 'float32', dims: [2, 3], data: [1, 2, 3, 4, 5, 6], array: 'Float32Array' }],
  },
  {
    name: 'a sequence as an output',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.sequence);
      const { s } = await session
        .run({ a: floats(ort, [1, 2]), b: floats(ort, [3, 4]) })
        .catch(() => ({ s: undefined }));
      return s && (s.data as unknown as Ort.Tensor[]).map(plain);
    },
    expected: [
      { type: 'float32', dims: [2], data: [1, 2], array: 'Float32Array' },
      { type: 'float32', dims: [2], data: [3, 4], array: 'Float32Array' },
    ],
  },
  {
    name: 'profiling begins and ends',
    async run(ort) {
      const session = await arithmetic(ort, { enableProfiling: true });
      return failure(async () => {
        session.startProfiling();
        await session.run(feeds(ort));
        await consoleOf(async () => session.endProfiling());
      });
    },
    expected: 'no error',
  },

  {
    name: 'outputs given back as inputs, and read in the end',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.loop);
      const x = floats(ort, [1, 2], [1, 2]);
      let state: Ort.Tensor = floats(ort, [0, 0], [1, 2]);
      const locations: string[] = [];
      for (let i = 0; i < 5; i++) {
        state = (await session.run({ state, x })).next as Ort.Tensor;
        locations.push(state.location);
      }
      return [locations, plain(state), state.location];
    },
    expected: [
      ['cpu', 'cpu', 'cpu', 'cpu', 'cpu'],
      { type: 'float32', dims: [1, 2], data: [5, 10], array: 'Float32Array' },
      'cpu',
    ],
  },
  {
    name: 'outputs given back as inputs are all there, also after the session',
    async run(ort) {
      const session = await ort.InferenceSession.create(models.loop);
      const x = floats(ort, [1, 2], [1, 2]);
      const states: Ort.Tensor[] = [floats(ort, [0, 0], [1, 2])];
      for (let i = 0; i < 6; i++) {
        states.push((await session.run({ state: states[i] as Ort.Tensor, x })).next as Ort.Tensor);
        // Written into: what the caller has in the array is the next input.
        if (i === 2) (states[3]?.data as Float32Array)[0] = 100;
      }
      await session.release();
      return states.map(({ data }) => Array.from(data as Float32Array));
    },
    expected: [
      [0, 0],
      [1, 2],
      [2, 4],
      [100, 6],
      [101, 8],
      [102, 10],
      [103, 12],
    ],
  },

  // The end.
  {
    name: 'a session that was released',
    async run(ort) {
      const session = await arithmetic(ort);
      await session.release();
      return failure(() => session.run(feeds(ort)));
    },
    expected: 'Error',
  },
  {
    name: 'releasing twice',
    async run(ort) {
      const session = await arithmetic(ort);
      await session.release();
      return failure(() => session.release());
    },
    expected: 'no error',
  },

  // The environment.
  {
    name: 'env after the first session',
    async run(ort) {
      await arithmetic(ort);
      const { wasm, logLevel } = ort.env;
      return [
        typeof wasm.numThreads,
        wasm.proxy,
        wasm.trace,
        wasm.initTimeout,
        logLevel,
        Object.keys(ort.env.versions),
      ];
    },
    expected: ['number', false, false, 0, 'warning', ['common']],
  },
  {
    name: 'env.logLevel takes levels only',
    run: async (ort) =>
      failure(() => {
        ort.env.logLevel = 'loud' as never;
      }),
    expected: 'Error',
  },
  {
    name: 'registerBackend takes backends only',
    run: async (ort) =>
      failure(() => (ort as unknown as { registerBackend(...a: unknown[]): void }).registerBackend('x', {}, 1)),
    expected: 'TypeError',
  },

  // Tensors.
  {
    name: 'Tensor.reshape, dispose and location',
    async run(ort) {
      const tensor = floats(ort, [1, 2, 3, 4]);
      const reshaped = tensor.reshape([2, 2]);
      tensor.dispose();
      return [reshaped.dims, tensor.location, await failure(() => tensor.data)];
    },
    expected: [[2, 2], 'none', 'Error'],
  },
  {
    name: 'Tensor refuses data of another length',
    run: (ort) => failure(() => new ort.Tensor('float32', [1, 2, 3], [2, 2])),
    expected: 'Error',
  },
];
