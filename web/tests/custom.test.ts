// Operators that the engine does not have: in the page, in a worker, in several.
import * as ort from 'onnxruntime-common';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { bundle } from '../dist/bundle.js';
import { type CustomNode, type CustomOperator, NeuromancerError, Session, Tensor } from '../dist/index.js';
import type { NeuromancerFlags } from '../dist/ort.js';
import { pack } from '../dist/pack.js';
import { modelOf, type NodeSpec } from './onnx-writer.js';
import { built, places } from './places.js';

const domain = 'com.example';
const fancy = (more: Partial<NodeSpec> = {}): NodeSpec => ({
  op: 'Scale',
  domain,
  inputs: ['x'],
  outputs: ['s'],
  attributes: { by: 3 },
  ...more,
});
const after: NodeSpec = { op: 'Neg', inputs: ['s'], outputs: ['y'] };
const domains = { domains: [domain] };
/** y = -Scale(x). */
const model = modelOf([fancy(), after], { x: 'float32[n]' }, { y: 'float32[n]' }, domains);

const scale: CustomOperator = {
  domain,
  name: 'Scale',
  outputs: [{ like: 0 }],
  run: ([x], { attributes }) =>
    new Tensor(
      'float32',
      (x as Tensor).toFloat32().map((v) => v * Number(attributes.by)),
      x?.shape,
    ),
};

const everywhere = [
  ...places,
  { name: 'in several workers', options: { artefact: 'wasm', threads: 1, workers: 2 } },
] as const;

describe.each(everywhere)('$name', ({ options }) => {
  const skip = !built(options.artefact);
  const sessions: Session[] = [];
  const open = async (operators: readonly CustomOperator[], source = model, more = {}) => {
    const session = await Session.load(source, { ...options, operators, ...more });
    sessions.push(session);
    return session;
  };
  const x = (...values: number[]) => ({ x: new Tensor('float32', values) });
  const works = async (session: Session) => {
    const { y } = await session.run(x(1, 2));
    expect(y?.toArray()).toEqual([-3, -6]);
  };
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.release()));
  });

  test.skipIf(skip)('sync and async, planned and not, optimised and not', async () => {
    const later: CustomOperator = { domain, name: 'Scale', run: async (...given) => scale.run(...given) };
    for (const operator of [scale, later]) {
      for (const optimize of [true, false]) {
        const session = await open([operator], model, { optimize });
        await works(session);
        await works(session);
        const { y } = await session.run(x(4), { signal: new AbortController().signal });
        expect(y?.toArray()).toEqual([-12]);
        const profile = vi.fn();
        await session.run(x(4), { profile });
        expect(profile.mock.calls[0]?.[0].steps.map((step: { operator: string }) => step.operator)).toEqual([
          'com.example.Scale',
          'Neg',
        ]);
      }
    }
  });

  test.skipIf(skip)('runs beside each other keep their own answers', async () => {
    const session = await open([{ ...scale, run: async (...given) => scale.run(...given) }]);
    const answers = await Promise.all([1, 2, 3, 4, 5].map((value) => session.run(x(value))));
    expect(answers.map(({ y }) => y?.toArray())).toEqual([[-3], [-6], [-9], [-12], [-15]]);
  });

  test.skipIf(skip)('the node and its attributes, absent inputs, several outputs of other types', async () => {
    const many = modelOf(
      [
        {
          op: 'Many',
          domain,
          inputs: ['x', '', 'w'],
          outputs: ['words', 'y'],
          attributes: {
            i: 7,
            f: 0.5,
            s: 'ä',
            is: [1, 2],
            ss: ['a', 'b'],
            t: { dims: [2, 1], data: [5, 6] },
            big: 2 ** 60,
          },
        },
      ],
      { x: 'float32[n]' },
      { words: 'string[k]', y: 'int64[k]' },
      { ...domains, weights: { w: { dims: [1], data: [9] } } },
    );
    let seen: { inputs: readonly (Tensor | undefined)[]; node: CustomNode } | undefined;
    const session = await open(
      [
        {
          domain,
          name: 'Many',
          outputs: [{ type: 'string' }, { type: 'int64' }],
          run: (inputs, node) => {
            seen = { inputs, node };
            return [new Tensor('string', ['é', '']), { type: 'int64', data: BigInt64Array.of(1n, 2n), dims: [2] }];
          },
        },
      ],
      many,
    );
    const { words, y } = await session.run(x(1, 2, 3));
    expect(words?.toArray()).toEqual(['é', '']);
    expect(y?.toArray()).toEqual([1n, 2n]);
    expect(seen?.inputs.map((input) => input?.toArray())).toEqual([[1, 2, 3], undefined, [9]]);
    const { t, ...attributes } = seen?.node.attributes ?? {};
    expect(attributes).toEqual({ i: 7, f: 0.5, s: 'ä', is: [1, 2], ss: ['a', 'b'], big: 2n ** 60n });
    expect(t).toBeInstanceOf(Tensor);
    expect((t as Tensor).toArray()).toEqual([[5], [6]]);
    expect(seen?.node).toMatchObject({ domain, operator: 'Many', name: 'words', outputs: 2 });
    // Asked once more, the engine says the same.
    await session.run(x(1));
    expect(seen?.node.attributes.big).toBe(2n ** 60n);
  });

  test.skipIf(skip)('in the body of a loop', async () => {
    const loop = modelOf(
      [
        {
          op: 'Loop',
          inputs: ['rounds', '', 'x'],
          outputs: ['y'],
          attributes: {
            body: {
              nodes: [
                { op: 'Identity', inputs: ['go'], outputs: ['go_out'] },
                fancy({ inputs: ['v'], outputs: ['v_out'] }),
              ],
              inputs: { round: 'int64', go: 'bool', v: 'float32[1]' },
              outputs: { go_out: 'bool', v_out: 'float32[1]' },
            },
          },
        },
      ],
      { rounds: 'int64', x: 'float32[1]' },
      { y: 'float32[1]' },
      domains,
    );
    const session = await open([scale], loop);
    const rounds = new Tensor('int64', [5n], []);
    const { y } = await session.run({ rounds, ...x(1) });
    expect(y?.toArray()).toEqual([3 ** 5]);
    const limited = await open([scale], loop, { limits: { rounds: 4 } });
    await expect(limited.run({ rounds, ...x(1) })).rejects.toMatchObject({ code: 'limit_exceeded' });
  });

  test.skipIf(skip)("what it throws is the cause of the run's failure, and the session goes on", async () => {
    let wrong: unknown;
    const session = await open([
      {
        ...scale,
        run: (...given) => {
          if (wrong !== undefined) throw wrong;
          return scale.run(...given);
        },
      },
    ]);
    for (wrong of [new RangeError('no such thing'), 'a text', { an: 'object' }]) {
      const error = await session.run(x(1)).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(NeuromancerError);
      expect(error).toMatchObject({ code: 'operator_failed', operator: 'Scale', node: 's' });
      expect((error as Error).cause).toBe(wrong);
      expect((error as Error).message).toMatch(/^The custom operator com\.example\.Scale \(node "s"\) failed: .*\.$/);
    }
    wrong = undefined;
    await works(session);
  });

  test.skipIf(skip)('what it returns is looked at, and the session goes on', async () => {
    let result: unknown;
    const session = await open([{ ...scale, run: (...given) => (result as Tensor) ?? scale.run(...given) }]);
    const bad: [unknown, RegExp][] = [
      [[], /its node has one output, and it returned 0/],
      [[new Tensor('float32', [1, 2]), new Tensor('float32', [1, 2])], /returned 2/],
      [new Tensor('float32', [1, 2], [2, 1]), /output 0 has shape \[2,1\]; expected \[2\]/i],
      [new Tensor('int32', [1, 2]), /output 0 has type int32; expected float32/i],
      [[undefined], /output 0 has type \w+; expected float32/i],
      [{ type: 'float32', data: Float32Array.of(1), shape: [2] }, /needs 2 entries of data, but 1 were given/],
      [{ type: 'float31', data: Float32Array.of(1), shape: [1] }, /not an ONNX element type.*Did you mean "float32"/],
      [Float32Array.of(1, 2), /an output takes a tensor/i],
      [7, /an output takes a tensor/i],
    ];
    for (const [given, message] of bad) {
      result = given;
      const error = await session.run(x(1, 2)).catch((e: unknown) => e);
      expect(error).toMatchObject({
        code: 'operator_failed',
        operator: 'Scale',
        message: expect.stringMatching(message),
      });
    }
    result = undefined;
    await works(session);
  });

  test.skipIf(skip)('a signal ends a run whose operator never comes back, and the operator hears of it', async () => {
    let stuck = true;
    let heard: unknown;
    const session = await open([
      {
        ...scale,
        run: (inputs, node, signal) => {
          signal?.addEventListener('abort', () => (heard = signal.reason));
          return stuck ? new Promise<never>(() => {}) : scale.run(inputs, node, signal);
        },
      },
    ]);
    const controller = new AbortController();
    const run = session.run(x(1), { signal: controller.signal });
    setTimeout(() => controller.abort('enough'), 100);
    await expect(run).rejects.toMatchObject({ code: 'cancelled', cause: 'enough' });
    expect(heard).toBe('enough');
    stuck = false;
    await works(session);
  });

  test.skipIf(skip)('releasing ends a run whose operator never comes back', async () => {
    const session = await open([{ ...scale, run: () => new Promise<never>(() => {}) }]);
    const run = session.run(x(1)).catch((e: unknown) => e);
    await session.release();
    expect(await run).toMatchObject({ code: 'session_closed' });
  });

  test.skipIf(skip)('a model that has more than is given', async () => {
    const load = (operators: readonly CustomOperator[]) => open(operators).catch((e: Error) => e.message);
    const { run } = scale;
    expect(await load([])).toMatch(
      /Scale \(com\.example 1\).*as a custom operator, by the option "operators" of Session\.load/,
    );
    expect(await load([{ domain, name: 'Skale', run }])).toContain('Did you mean "Skale"?');
    expect(await load([{ domain: 'org.example', name: 'Scale', run }])).toContain('is of the domain "org.example".');
  });
});

const here = { artefact: 'wasm', threads: 1 } as const;
const feed = { x: new Tensor('float32', [1, 2]) };

describe('options', () => {
  const { run } = scale;
  test.each([
    ['no list', scale, /"operators" of Session.load must be an array/],
    ['no object', [5], /operators\[0\] are an object, not 5/],
    ['a wrong name', [{ ...scale, infer: run }], /operators\[0\] has no option "infer"; its options are domain, name/],
    ['no function', [{ domain, name: 'Scale' }], /operators\[0\] needs a "name" and a function "run"/],
    ['no name', [{ name: '', run }], /needs a "name"/],
    [
      'a wrong type',
      [{ ...scale, outputs: [{ type: 'float31' }] }],
      /"type" of operators\[0\].outputs\[0\] must be the name/,
    ],
    [
      'a wrong input',
      [{ ...scale, outputs: [{ like: -1 }] }],
      /"like" of operators\[0\].outputs\[0\] must be an input/,
    ],
    ['one twice', [scale, { ...scale }], /com\.example\.Scale is given twice/],
    [
      'one twice, in both ways',
      [
        { name: 'A', run },
        { domain: 'ai.onnx', name: 'A', run },
      ],
      /operator A is given twice/,
    ],
  ])('%s', async (_, operators, message) => {
    const given = operators as unknown as readonly CustomOperator[];
    await expect(Session.load(model, { ...here, operators: given })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(message),
    });
  });
});

describe.skipIf(!built('wasm'))('with the engine', () => {
  test("one of the engine's own is refused where the model has it", async () => {
    const neg: CustomOperator = { name: 'Neg', run: ([x]) => x as Tensor };
    await expect(Session.load(model, { ...here, operators: [scale, neg] })).rejects.toThrow(
      'The engine has this operator itself',
    );
    const relu: CustomOperator = { name: 'Relu', run: ([x]) => x as Tensor };
    const session = await Session.load(model, { ...here, operators: [scale, relu] });
    expect((await session.run(feed)).y?.toArray()).toEqual([-3, -6]);
    await session.release();
  });

  test('a packed model and a bundle are given them twice', async () => {
    const packed = await pack(model, { operators: [scale] });
    await expect(Session.load(packed, here)).rejects.toMatchObject({ code: 'unsupported_operator' });
    const session = await Session.load(packed, { ...here, operators: [scale] });
    expect((await session.run(feed)).y?.toArray()).toEqual([-3, -6]);
    await session.release();

    const bundled = await bundle(model, { operators: [scale], dimensions: { n: 2 } });
    const opened = await Session.fromBundle(bundled, { operators: [scale] });
    expect((await opened.run(feed)).y?.toArray()).toEqual([-3, -6]);
    await opened.release();
    const without = await Session.fromBundle(bundled);
    await expect(without.run(feed)).rejects.toThrow('custom operator');
    const other = await Session.fromBundle(bundled, { operators: [{ ...scale, name: 'Other' }] });
    await expect(other.run(feed)).rejects.toMatchObject({ code: 'operator_failed' });
  });

  test("onnxruntime's API takes them too", async () => {
    const { InferenceSession, env } = await import('../dist/ort.js');
    env.neuromancer = { operators: [scale], artefact: 'wasm' } satisfies NeuromancerFlags;
    env.wasm.numThreads = 1;
    const session = await InferenceSession.create(model);
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2), [2]) });
    expect([...(y as ort.Tensor).data]).toEqual([-3, -6]);
    await session.release();
    env.neuromancer = undefined;
  });

  test('an output that stays in the engine can be its result', async () => {
    let kept: Tensor | undefined;
    const session = await Session.load(model, { ...here, operators: [{ ...scale, run: () => kept as Tensor }] });
    kept = await session.keep(new Tensor('float32', [5, 6]));
    expect((await session.run(feed)).y?.toArray()).toEqual([-5, -6]);
    await session.release();
  });
});
