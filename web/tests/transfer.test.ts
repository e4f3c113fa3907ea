// Inputs whose arrays are given to the session's worker, and dimensions that are fixed when a model is loaded.
import { afterEach, describe, expect, test } from 'vitest';
import { Session, Tensor } from '../dist/index.js';
import { modelOf } from './onnx-writer.js';
import { built, places } from './places.js';

const model = modelOf(
  [{ op: 'Mul', inputs: ['x', 'z'], outputs: ['y'] }],
  { x: 'float32[n,2]', z: 'float32[n,2]' },
  { y: 'float32[n,2]' },
);

const sessions: Session[] = [];
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.release()));
});

describe.each([
  ...places,
  { name: 'in several workers', options: { artefact: 'wasm', threads: 1, workers: 2 } } as const,
])('$name', ({ options }) => {
  const inWorker = 'worker' in options || 'workers' in options;
  const open = async (more: object = {}) => {
    const session = await Session.load(model, { ...options, ...more });
    sessions.push(session);
    return session;
  };
  const skip = !built(options.artefact);

  test.skipIf(skip)('arrays that are given away are gone with the call, where there is a worker', async () => {
    const session = await open();
    const [x, z] = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
    const feeds = () => ({ x: new Tensor('float32', x, [1, 2]), z: new Tensor('float32', z, [1, 2]) });
    const running = session.run(feeds(), { transfer: true });
    // The second run waits for the first, but its arrays are taken at once, too.
    const [a, b] = [Float32Array.of(5, 6), Float32Array.of(7, 8)];
    const next = session.run(
      { x: new Tensor('float32', a, [1, 2]), z: new Tensor('float32', b, [1, 2]) },
      { transfer: true },
    );
    expect([x, z, a, b].map(({ length }) => length)).toEqual(inWorker ? [0, 0, 0, 0] : [2, 2, 2, 2]);
    expect((await running).y?.toArray()).toEqual([[3, 8]]);
    expect((await next).y?.toArray()).toEqual([[35, 48]]);
    if (inWorker) expect(feeds).toThrow('are gone');
  });

  test.skipIf(skip)('parts of larger buffers and shared memory are copied', async () => {
    const session = await open();
    const whole = Float32Array.of(0, 1, 2, 9);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([3, 4]);
    const x = new Tensor('float32', whole.subarray(1, 3), [1, 2]);
    const { y } = await session.run({ x, z: new Tensor('float32', shared, [1, 2]) }, { transfer: true });
    expect(y?.toArray()).toEqual([[3, 8]]);
    expect([...whole, ...shared]).toEqual([0, 1, 2, 9, 3, 4]);
  });

  test.skipIf(skip)('a dimension that is fixed holds for every run', async () => {
    const session = await open({ freeDimensions: { n: 2 } });
    const of = (rows: number) => new Tensor('float32', new Float32Array(rows * 2).fill(3), [rows, 2]);
    expect(session.outputs[0]?.shape).toEqual([2, 2]);
    expect((await session.run({ x: of(2), z: of(2) })).y?.toArray()).toEqual([
      [9, 9],
      [9, 9],
    ]);
    await expect(session.run({ x: of(1), z: of(1) })).rejects.toMatchObject({ code: 'shape_mismatch', input: 'x' });
  });

  test.skipIf(skip)('a dimension that the model does not have, and a size that is none', async () => {
    await expect(open({ freeDimensions: { rows: 2 } })).rejects.toThrow('rows');
    await expect(open({ freeDimensions: { n: 1.5 } })).rejects.toThrow('1.5');
    await expect(open({ freeDimensions: 2 })).rejects.toThrow('"freeDimensions" of Session.load must be an object');
  });
});
