// Addresses of 64 bits: when they are chosen, and that addresses beyond 2 and 4 GiB are taken for what they are.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Session } from '../dist/index.js';
import { type CustomOperator, customOf } from '../src/api/custom.js';
import type { NeuromancerError } from '../src/api/errors.js';
import { openSource } from '../src/download/fetch.js';
import type { RunOptions } from '../src/engine/backend.js';
import { detectFeatures } from '../src/engine/features.js';
import { instantiate } from '../src/engine/instance.js';
import { loadModel } from '../src/engine/load-model.js';
import { type Artefact, engineFor, loadModule } from '../src/engine/loader.js';
import { LocalBackend } from '../src/engine/local.js';
import { Engine64 } from '../src/engine/memory64.js';
import { startThreads } from '../src/engine/threads.js';
import { useFiles } from '../src/host/own-files.js';
import { Tensor } from '../src/values/tensor.js';
import { ownValue, type Value } from '../src/values/values.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';

const { memory64, relaxedSimd } = detectFeatures();
const can64 = memory64 && relaxedSimd && built('wasm64');
const gigabyte = 2 ** 30;

useFiles({ engine: (artefact) => new URL(`../dist/neuromancer-${artefact}.wasm`, import.meta.url), startThreads });
afterEach(() => vi.restoreAllMocks());

/** A host that has no memories with addresses of 64 bits: no module with a memory section. */
function withoutMemory64(): void {
  const validate = WebAssembly.validate.bind(WebAssembly);
  vi.spyOn(WebAssembly, 'validate').mockImplementation((bytes) => (bytes as Uint8Array)[8] !== 5 && validate(bytes));
}

describe('the engine for a large model', () => {
  test.runIf(can64)('is asked for when the sizes of its files are known, and is the one with 64 bits', async () => {
    const asked = engineFor({}, 1);
    const sizes: number[] = [];
    const announced = () => new Response(new ReadableStream(), { headers: { 'content-length': '2000000000' } });
    const controller = new AbortController();
    const load = LocalBackend.load(
      new Uint8Array(8),
      { externalData: { a: announced(), b: announced() }, signal: controller.signal },
      undefined,
      async (modelBytes) => {
        sizes.push(modelBytes);
        if (modelBytes > 0) controller.abort();
        return asked(modelBytes);
      },
    );
    await expect(load).rejects.toMatchObject({ code: 'cancelled' });
    expect(sizes).toEqual([0, 4_000_000_008]);
    expect(WebAssembly.Module.imports(await asked(4_000_000_008))).toMatchObject([{ name: 'memory64' }]);
    expect(WebAssembly.Module.imports(await asked(3_000_000_000))).not.toMatchObject([{ name: 'memory64' }]);
  });

  test('is the one that the options name, whatever it can hold', async () => {
    const options = { artefact: 'wasm', threads: 1 } as const;
    const asked = engineFor(options, 1);
    expect(await asked(4.5e9)).toBe(await asked(0));
    const wasm = await asked(0);
    expect(await engineFor({ wasm }, 1)(4.5e9)).toBe(wasm);
  });

  test.each([false, true])('is refused before the model is read where there is none (worker: %s)', async (worker) => {
    withoutMemory64();
    let closed = false;
    const server = createServer((_, response) => {
      response.on('close', () => {
        closed = true;
      });
      response.writeHead(200, { 'content-length': '4500000000' }).write('the beginning');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
    await expect(Session.load(url, { threads: 1, worker })).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: expect.stringMatching(
        /^The model has 4\.5 GB\. This host has no .* 4 GiB.*Chrome 133.*smaller model\.$/,
      ),
    });
    await vi.waitFor(() => expect(closed).toBe(true));
    server.close();
  });

  test('is refused by its name, too', async () => {
    withoutMemory64();
    await expect(loadModule({ artefact: 'wasm64' }, 1)).rejects.toThrow(/^This host has no WebAssembly memory of more/);
  });
});

describe('an engine with addresses of 64 bits', () => {
  test('takes and gives numbers: bigints are for addresses and sizes alone', () => {
    const seen: unknown[][] = [];
    const exported =
      (returned: unknown) =>
      (...given: unknown[]) => {
        seen.push(given);
        return returned;
      };
    const { exports } = new Engine64({
      memory: new WebAssembly.Memory({ initial: 1 }),
      nm_alloc: exported(2n ** 33n),
      nm_input: exported(7n),
      nm_set_threads: exported(0),
      nm_free: exported(undefined),
      nm_build_info: exported(64n),
    } as never);
    expect(exports.nm_alloc(2 ** 34)).toBe(2 ** 33);
    expect(exports.nm_input(2 ** 33, 1, 2, 2 ** 32, 3)).toBe(7);
    expect(exports.nm_set_threads(2)).toBe(0);
    expect(exports.nm_free(2 ** 33)).toBeUndefined();
    expect(exports.nm_build_info()).toBe(64);
    expect(seen).toEqual([[2n ** 34n], [2n ** 33n, 1, 2, 2n ** 32n, 3], [2], [2n ** 33n], []]);
  });
});

const domain = 'com.example';
const float = (...values: number[]) => new Tensor('float32', values);

/** Models whose values take every way into the engine and out of it. */
const models: { of: string; model: Uint8Array; feeds: Record<string, Value>; operators?: CustomOperator[] }[] = [
  {
    of: 'numbers',
    model: modelOf(
      [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
      { x: 'float32[n,2]' },
      { y: 'float32' },
      { weights: { w: { dims: [2, 2], data: [1, 2, 3, 4] } } },
    ),
    feeds: { x: new Tensor('float32', [1, 2, 3, 4], [2, 2]) },
  },
  {
    of: 'strings',
    model: modelOf([{ op: 'Identity', inputs: ['x'], outputs: ['y'] }], { x: 'string' }, { y: 'string' }),
    feeds: { x: new Tensor('string', ['Zürich', '', '東京']) },
  },
  {
    of: 'sequences',
    model: modelOf(
      [{ op: 'SequenceInsert', inputs: ['x', 'z'], outputs: ['y'] }],
      { x: 'sequence(float32)', z: 'float32' },
      { y: 'sequence(float32)' },
    ),
    feeds: { x: [float(1), float(2, 3)], z: float(4) },
  },
  {
    of: 'a custom operator',
    model: modelOf(
      [{ op: 'Negative', domain, inputs: ['x'], outputs: ['y'], attributes: { by: 3 } }],
      { x: 'float32[n]' },
      { y: 'float32[n]' },
      { domains: [domain] },
    ),
    feeds: { x: float(1, 2) },
    operators: [
      {
        domain,
        name: 'Negative',
        outputs: [{ like: 0 }],
        run([x], { attributes }) {
          const [first, ...more] = (x as Tensor).toFloat32();
          if (first === 13) throw new Error('no luck');
          return float(...[first as number, ...more].map((value) => -value * Number(attributes.by)));
        },
      },
    ],
  },
];

/** What the model comes to on an engine whose first bytes, so many, are taken: nobody writes there, so they are addresses only. */
async function outcome(of: string, artefact: Artefact, below: number): Promise<unknown[]> {
  const { model, feeds, operators } = models.find((each) => each.of === of) as (typeof models)[number];
  const instance = await instantiate(await loadModule({ artefact }, 1), 1);
  const { engine } = instance;
  if (below > 0) expect(engine.allocate(below, 'what lies below')).toBeLessThan(2 ** 24);
  const custom = customOf(operators);
  const opened = await openSource('the model', model);
  const session = new LocalBackend(instance, await loadModel(engine, opened, [], {}, custom?.declarations), custom);
  const run = async (options: RunOptions, given: Record<string, Value> = feeds) => {
    session.take(new Map(Object.entries(given)), true);
    return (await session.run(null, options)).outputs.y;
  };
  const plain = (value: Value): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    const { type, shape, data } = value as Tensor;
    return { type, shape, data };
  };
  const found = [plain(await run({})), plain(ownValue(await run({ keep: ['y'] })))];
  if (operators !== undefined) {
    await expect(run({}, { x: float(13) })).rejects.toThrow('no luck');
    found.push(plain(await run({})));
  }
  const { cancelFlag } = session;
  if (cancelFlag !== undefined) {
    found.push([...new Int32Array(cancelFlag.memory, cancelFlag.address, 1)]);
    expect(cancelFlag.address).toBeGreaterThan(below);
  }
  await run({ profile: (profile) => found.push(profile.steps.map(({ operator }) => operator)) });
  await expect(Promise.resolve().then(() => run({}, { x: undefined }))).rejects.toMatchObject({ input: 'x' });
  session.release('was tested');
  return found;
}

test.runIf(built('wasm')).each(memory64 && relaxedSimd ? [true, false] : [false])(
  'memory that runs out beyond 2 GiB names the artefact that has more, where it can be had (%s)',
  async (available) => {
    if (!available) withoutMemory64();
    const model = modelOf(
      [{ op: 'ConstantOfShape', inputs: ['shape'], outputs: ['y'] }],
      { shape: 'int64[1]' },
      { y: 'float32[n]' },
    );
    const instance = await instantiate(await loadModule({ artefact: 'wasm' }, 1), 1);
    const opened = await openSource('the model', model);
    const session = new LocalBackend(instance, await loadModel(instance.engine, opened, [], {}));
    const run = () => {
      session.take(new Map([['shape', new Tensor('int64', [600_000_000])]]), true);
      return session.run(null, {}).then(
        () => 'no error',
        ({ code, message }: NeuromancerError) => `${code}: ${message}`,
      );
    };
    const hint = 'The artefact "wasm64" reaches beyond 4 GiB.';
    instance.engine.allocate(1.9 * gigabyte, 'what lies below');
    expect(await run()).toMatch(/^out_of_memory: .*2400000000 bytes/);
    expect(await run()).not.toContain(hint);
    instance.engine.allocate(0.2 * gigabyte, 'what lies below');
    if (available) expect(await run()).toContain(hint);
    else expect(await run()).not.toContain(hint);
  },
);

describe.each(models.map(({ of }) => of))('%s', (of) => {
  test.runIf(built('wasm'))('with addresses beyond 2 GiB, which come as negative numbers', async () => {
    expect(await outcome(of, 'wasm', 2.5 * gigabyte)).toEqual(await outcome(of, 'wasm', 0));
  });

  test.runIf(can64)('with addresses beyond 4 GiB, which come as bigints', async () => {
    expect(await outcome(of, 'wasm64', 4.5 * gigabyte)).toEqual(await outcome(of, 'wasm-threads', 0));
  });
});
