// The API used wrongly, unluckily or with bad intent, on the real engine: whatever is given, the answer is right or a
// NeuromancerError, and the session can be used afterwards.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NeuromancerError, Session, Tensor, type ValueLike } from '../dist/index.js';
import { modelOf } from './onnx-writer.js';
import { built, places } from './places.js';

const floatsOf = (tensor: Tensor | undefined) => (tensor as Tensor<'float32'>).data;
const float = (...values: number[]) => new Tensor('float32', values);

/** y = x + x, z = x. */
const model = modelOf(
  [
    { op: 'Add', inputs: ['x', 'x'], outputs: ['y'] },
    { op: 'Identity', inputs: ['x'], outputs: ['z'] },
  ],
  { x: 'float32' },
  { y: 'float32', z: 'float32' },
);

/** Something like a Float32Array in name only. */
const liar = Object.create(Float32Array.prototype, { [Symbol.toStringTag]: { value: 'Float32Array' } });

const holed: number[] = [];
holed[1] = 1;

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
  grow(bytes: number): void;
}

/** 64 bytes that may become more or fewer. */
const resizable = (kind: unknown, maxByteLength: number) =>
  new (kind as new (bytes: number, options: object) => Resizable)(64, { maxByteLength });

const detached = (() => {
  const data = Float32Array.of(1, 2);
  structuredClone(data, { transfer: [data.buffer] });
  return data;
})();

describe.each(places)('$name', ({ options }) => {
  const skip = !built(options.artefact);
  const sessions: Session[] = [];
  const open = async (bytes: Uint8Array = model, more = {}) => {
    const session = await Session.load(bytes, { ...options, ...more });
    sessions.push(session);
    return session;
  };
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.release()));
  });

  /** The call fails with an error of ours, and the session goes on. */
  async function refuses(session: Session, feeds: unknown, runOptions?: unknown): Promise<NeuromancerError> {
    const error = await session.run(feeds as never, runOptions as never).then(
      () => 'nothing',
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(NeuromancerError);
    expect((await session.run({ x: float(3) })).y?.data).toEqual(Float32Array.of(6));
    return error as NeuromancerError;
  }

  describe.skipIf(skip)(skip ? '(skipped: not built)' : 'inputs', () => {
    const cases: [string, () => unknown][] = [
      ['nothing', () => undefined],
      ['null', () => null],
      ['a number', () => 5],
      ['a tensor without a name', () => float(1)],
      ['a typed array', () => Float32Array.of(1)],
      ['an array', () => [float(1)]],
      ['a function', () => () => float(1)],
      ['a symbol for a value', () => ({ x: Symbol('x') })],
      ['an inherited value', () => Object.create({ x: float(1) })],
      [
        'a getter that throws',
        () => ({
          get x() {
            throw new Error('no');
          },
        }),
      ],
      [
        'a proxy that throws',
        () =>
          new Proxy(
            {},
            {
              ownKeys: () => {
                throw new TypeError('no');
              },
            },
          ),
      ],
      ['data of a transferred buffer', () => ({ x: { type: 'float32', data: detached, shape: [2] } })],
      [
        'a tensor whose data were transferred',
        () => {
          const x = float(1, 2, 3);
          structuredClone(x.data, { transfer: [x.data.buffer as ArrayBuffer] });
          return { x };
        },
      ],
      [
        'a tensor whose buffer shrank',
        () => {
          const buffer = resizable(ArrayBuffer, 128);
          const x = new Tensor('float32', new Float32Array(buffer, 0, 16));
          buffer.resize(8);
          return { x };
        },
      ],
      [
        'a tensor that follows a buffer which grew',
        () => {
          const buffer = resizable(ArrayBuffer, 4096);
          const x = new Tensor('float32', new Float32Array(buffer));
          buffer.resize(4096);
          return { x };
        },
      ],
      [
        'a tensor that follows shared memory which grew',
        () => {
          const buffer = resizable(SharedArrayBuffer, 4096);
          const x = new Tensor('float32', new Float32Array(buffer));
          buffer.grow(4096);
          return { x };
        },
      ],
      [
        'a tensor whose shape was changed',
        () => {
          const x = float(1, 2, 3);
          (x.shape as number[])[0] = 1 << 20;
          return { x };
        },
      ],
      [
        'a tensor whose data were exchanged',
        () => ({ x: Object.assign(float(1), { data: new Float32Array(1 << 20) }) }),
      ],
      ['a tensor whose type was exchanged', () => ({ x: Object.assign(float(1), { type: 'float64' }) })],
      ['a type that there is none of', () => ({ x: { type: '__proto__', data: Float32Array.of(1), shape: [1] } })],
      ['a DataView', () => ({ x: { type: 'float32', data: new DataView(new ArrayBuffer(4)), shape: [1] } })],
      ['an object that says it is an array', () => ({ x: { type: 'float32', data: liar, shape: [1] } })],
      ['no data', () => ({ x: { type: 'float32', data: null, shape: [1] } })],
      ['a shape that is none', () => ({ x: { type: 'float32', data: Float32Array.of(1), shape: 'x' } })],
      ['a shape with holes', () => ({ x: { type: 'float32', data: Float32Array.of(1), shape: holed } })],
      ['a negative dimension', () => ({ x: { type: 'float32', data: Float32Array.of(1), shape: [-1] } })],
      ['a dimension that is no number', () => ({ x: { type: 'float32', data: Float32Array.of(1), shape: [1n] } })],
      [
        'dimensions whose product is beyond numbers',
        () => ({ x: { type: 'float32', data: new Float32Array(0), shape: [2 ** 52, 2 ** 52, 0, 2 ** 52] } }),
      ],
      [
        'two hundred dimensions',
        () => ({ x: { type: 'float32', data: Float32Array.of(1), shape: Array(200).fill(1) } }),
      ],
      ['an unknown name', () => ({ x: float(1), y: float(1) })],
      ['the name __proto__', () => ({ x: float(1), ['__proto__']: float(1) })],
      ['the name constructor', () => ({ constructor: float(1) })],
      ['a sequence', () => ({ x: [float(1)] })],
      ['a Map', () => ({ x: new Map([['a', 1]]) })],
      ['strings', () => ({ x: new Tensor('string', ['a']) })],
    ];
    test.each(cases)('%s', async (_, make) => {
      await refuses(await open(), make());
    });

    test('of other realms, of part of a buffer, of shared memory, and with dims are taken', async () => {
      const session = await open();
      const shared = new Float32Array(new SharedArrayBuffer(8));
      shared.set([1, 2]);
      const values: ValueLike[] = [
        vm.runInNewContext('({ type: "float32", data: Float32Array.of(1, 2), shape: [2] })'),
        new Tensor('float32', Float32Array.of(9, 1, 2, 9).subarray(1, 3)),
        new Tensor('float32', shared),
        { type: 'float32', data: Float32Array.of(1, 2), dims: [2] },
        { type: 'float32', data: [1, 2], dims: [2] },
      ];
      for (const x of values) expect((await session.run({ x })).y?.data).toEqual(Float32Array.of(2, 4));
    });

    test('changed after the call change nothing', async () => {
      const session = await open();
      const data = new Float32Array(1000);
      const shape = [1000];
      const runs = Array.from({ length: 5 }, (_, i) => {
        data.fill(i);
        return session.run({ x: { type: 'float32', data, shape } });
      });
      data.fill(99);
      shape[0] = 7;
      structuredClone(data, { transfer: [data.buffer] });
      const results = await Promise.all(runs);
      expect(results.map(({ y }) => [floatsOf(y)[0], y?.size])).toEqual([0, 1, 2, 3, 4].map((i) => [2 * i, 1000]));
    });
  });

  describe.skipIf(skip)(skip ? '(skipped: not built)' : 'options', () => {
    test.each<[unknown, string]>([
      [{ signl: undefined }, 'Did you mean "signal"?'],
      [{ signal: 'now' }, 'an AbortSignal'],
      [{ outputs: 'veiw' }, '"copy" or "view"'],
      [{ profile: true }, 'a function'],
      [null, 'not null'],
      ['fast', 'not "fast"'],
    ])('of run: %o', async (given, message) => {
      const error = await refuses(await open(), { x: float(1) }, given);
      expect(error).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(message) });
    });

    test.each<[unknown, string]>([
      [{ thread: 1 }, 'Did you mean "threads"?'],
      [{ threads: 0 }, 'a whole number of 1 to 64'],
      [{ threads: '2' }, 'a whole number of 1 to 64'],
      [{ worker: 'yes' }, 'true or false'],
      [{ artefact: '__proto__' }, 'There is no artefact "__proto__"'],
      [{ wasm: 5 }, 'a WebAssembly.Module'],
      [{ limits: { byte: 1 } }, 'Did you mean "bytes"?'],
      [{ limits: { bytes: -1 } }, 'not negative'],
      [{ limits: { bytes: Number.NaN } }, 'not negative'],
      [{ externalData: [] }, 'an object'],
      [{ externalData: { a: undefined } }, 'The external data "a"'],
      [{ onProgress: 1 }, 'a function'],
      [{ ['__proto__']: 1 }, 'has no option "__proto__"'],
      [7, 'not 7'],
    ])('of load: %o', async (given, message) => {
      await expect(Session.load(model, given as never)).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringContaining(message),
      });
    });

    test.each<[unknown]>([[undefined], [null], [5], [{}], [[]], [() => model], [Symbol('model')]])(
      'a model that is no source: %o',
      async (source) => {
        await expect(Session.load(source as never, options)).rejects.toMatchObject({
          code: 'invalid_argument',
          message: expect.stringContaining('must be given as a URL'),
        });
      },
    );
  });

  describe.skipIf(skip)(skip ? '(skipped: not built)' : 'the engine', () => {
    test('that is another program is refused', async () => {
      const other = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
      await expect(
        Session.load(model, { ...options, artefact: undefined as never, wasm: other }),
      ).rejects.toMatchObject({
        code: 'engine_unavailable',
        message: expect.stringContaining('not the engine of this version'),
      });
    });

    test('of another realm is taken', async () => {
      const { readFileSync } = await import('node:fs');
      const bytes = readFileSync(new URL(`../dist/neuromancer-${options.artefact}.wasm`, import.meta.url));
      const wasm = vm.runInNewContext('new WebAssembly.Module(bytes)', { bytes });
      expect(wasm instanceof WebAssembly.Module).toBe(false);
      const session = await open(model, { wasm });
      expect((await session.run({ x: float(3) })).y?.data).toEqual(Float32Array.of(6));
    });
  });

  describe.skipIf(skip)(skip ? '(skipped: not built)' : 'names', () => {
    test('that JavaScript gives a meaning to are names like others', async () => {
      const plain = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a b', '0'];
      const given = await open(
        modelOf(
          [
            ...plain.map((name) => ({ op: 'Neg', inputs: [name], outputs: [`-${name}`] })),
            ...plain.map((name) => ({ op: 'Neg', inputs: [`-${name}`], outputs: [`${name}_`] })),
            { op: 'Neg', inputs: ['a b'], outputs: ['valueOf'] },
            { op: 'Neg', inputs: ['0'], outputs: ['__defineGetter__'] },
          ],
          Object.fromEntries(plain.map((name) => [name, 'float32'])),
          {
            ...Object.fromEntries(plain.map((name) => [`${name}_`, 'float32'])),
            valueOf: 'float32',
            __defineGetter__: 'float32',
          },
        ),
      );
      await expect(given.run({})).rejects.toMatchObject({ code: 'missing_input' });
      const outputs = await given.run(Object.fromEntries(plain.map((name, i) => [name, float(i)])));
      expect(Object.keys(outputs).sort()).toEqual(
        [...plain.map((name) => `${name}_`), 'valueOf', '__defineGetter__'].sort(),
      );
      expect((outputs.valueOf as unknown as Tensor).data).toEqual(Float32Array.of(-4));
    });

    test('an output called __proto__ is an output', async () => {
      const session = await open(
        modelOf([{ op: 'Neg', inputs: ['x'], outputs: ['__proto__'] }], { x: 'float32' }, { ['__proto__']: 'float32' }),
      );
      const outputs = await session.run({ x: float(2) });
      expect(Object.keys(outputs)).toEqual(['__proto__']);
      expect(Object.getOwnPropertyDescriptor(outputs, '__proto__')?.value.data).toEqual(Float32Array.of(-2));
    });
  });

  test.skipIf(skip)('a released session says so, whatever is called, and may be released again', async () => {
    const session = await open();
    await session.release();
    await session.release();
    for (const call of [() => session.run({ x: float(1) }), () => session.steps(), () => session.memory()]) {
      await expect(call()).rejects.toMatchObject({ code: 'session_closed' });
    }
  });

  test.skipIf(skip)('calls in any order, many at once, come to their own results', async () => {
    const session = await open();
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        if (i % 7 === 3) return session.memory().then(() => true);
        if (i % 7 === 5)
          return session.run({ x: new Tensor('uint8', [1]) }).then(
            () => false,
            () => true,
          );
        const size = 1 + (i % 5) * 1000;
        const { y } = await session.run({ x: new Tensor('float32', new Float32Array(size).fill(i)) });
        return y?.size === size && floatsOf(y).every((value) => value === 2 * i);
      }),
    );
    expect(results).toEqual(Array(50).fill(true));
  });
});

describe.each(places.filter(({ options }) => !('worker' in options)))('views, $name', ({ options }) => {
  const skip = !built(options.artefact);

  test.skipIf(skip)('fed back as inputs are right, however the memory moves', async () => {
    const session = await Session.load(model, options);
    for (const size of [1, 1000, 1 << 20, 10, 1 << 22]) {
      const x = new Tensor(
        'float32',
        Float32Array.from({ length: size }, (_, i) => i % 97),
      );
      const { y } = await session.run({ x }, { outputs: 'view' });
      const twice = await session.run({ x: y as Tensor }, { outputs: 'view' });
      expect(floatsOf(twice.y).every((value, i) => value === 4 * (i % 97))).toBe(true);
      const view = floatsOf(twice.y);
      const part = view.subarray(size >> 1);
      const { y: last } = await session.run({ x: new Tensor('float32', part) });
      expect(floatsOf(last).every((value, i) => value === 8 * ((i + (size >> 1)) % 97))).toBe(true);
    }
    await session.release();
  });

  test.skipIf(skip)('that are no longer there are refused, and the session goes on', async () => {
    const session = await Session.load(model, options);
    const { y } = await session.run({ x: float(1, 2, 3) }, { outputs: 'view' });
    await session.run({ x: new Tensor('float32', new Float32Array(1 << 23)) });
    // In shared memory the view lives on, over whatever is there now.
    const again = await session.run({ x: y as Tensor }).then(
      () => 'shared',
      (error: unknown) => error,
    );
    if (options.threads === 1) expect(again).toMatchObject({ code: 'invalid_data', input: 'x' });
    expect((await session.run({ x: float(3) })).y?.data).toEqual(Float32Array.of(6));
    await session.release();
  });
});

describe('errors', () => {
  test('of another copy of the package are known, other errors are not', async () => {
    const copy = (await import('../src/api/errors.js')).NeuromancerError;
    const error = new copy('internal', 'of the other copy');
    expect(copy).not.toBe(NeuromancerError);
    expect(error instanceof NeuromancerError).toBe(true);
    for (const other of [new Error('no'), null, 'internal', { code: 'internal' }]) {
      expect((other as unknown) instanceof NeuromancerError).toBe(false);
    }
    class Own extends NeuromancerError {}
    expect(error instanceof Own).toBe(false);
    expect(new Own('internal', '') instanceof Own).toBe(true);
    expect(new Own('internal', '') instanceof NeuromancerError).toBe(true);
  });
});

describe.each(places)('callbacks that throw, $name', ({ options }) => {
  const skip = !built(options.artefact);
  const errors = vi.spyOn(console, 'error');
  beforeEach(() => errors.mockReset().mockImplementation(() => {}));
  const oops = () => {
    throw new Error('oops');
  };

  test.skipIf(skip)('neither break the call nor the session', async () => {
    const session = await Session.load(new Blob([model.slice()]), { ...options, onProgress: oops });
    expect((await session.run({ x: float(3) }, { profile: oops })).y?.data).toEqual(Float32Array.of(6));
    expect((await session.run({ x: float(4) })).y?.data).toEqual(Float32Array.of(8));
    expect(errors).toHaveBeenCalled();
    await session.release();
  });
});

describe.each(places)('a process that has loaded a model and does nothing more, $name', ({ options }) => {
  const skip = !built(options.artefact);
  test.skipIf(skip).each(['load', 'run', 'view', 'abort'])('ends (after %s)', (doing) => {
    const script = fileURLToPath(new URL('exits.mjs', import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, JSON.stringify(options), doing], {
      encoding: 'utf8',
      timeout: 30_000,
      input: Buffer.from(model).toString('base64'),
    });
    expect([stdout.trim(), stderr.trim(), status]).toEqual(['done', '', 0]);
  });
});
