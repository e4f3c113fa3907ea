// onnxruntime's values as the reference in the search for a wrong answer.
import { readFileSync } from 'node:fs';
import { Session, Tensor } from 'neuromancer';
import { compare, withEveryValue } from 'neuromancer/compare';
import * as ort from 'onnxruntime-web';
import { expect, test } from 'vitest';

const model = new Uint8Array(readFileSync(new URL('../../models/handwriting/handwriting.onnx', import.meta.url)));
const image = Float32Array.from({ length: 28 * 28 }, (_, i) => Math.sin(i) ** 2);

test('every value of a model comes from onnxruntime, and where this engine has it, it is the same', async () => {
  ort.env.wasm.numThreads = 1;
  const [reference, session] = await Promise.all([
    ort.InferenceSession.create(withEveryValue(model)),
    Session.load(model, { artefact: 'wasm', threads: 1 }),
  ]);
  const [{ name, shape }] = session.inputs as [(typeof session.inputs)[number]];
  const dims = (shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 1));
  expect(reference.outputNames.length).toBeGreaterThan(session.outputs.length);
  const values = (await reference.run({ [name]: new ort.Tensor('float32', image, dims) })) as Record<
    string,
    ort.Tensor
  >;
  const feeds = { [name]: new Tensor('float32', image, dims) };
  const { compared, difference } = await compare(session, values, feeds);
  expect(difference).toBeUndefined();
  expect(compared).toBeGreaterThan(4);

  // One value that is wrong is the one that is found.
  const steps = await session.steps();
  const wrong = steps.flatMap(({ values: names }) => names).find((value) => value in values) as string;
  const { type, data, dims: of } = values[wrong] as ort.Tensor;
  const other = { type, dims: of, data: (data as Float32Array).map((value, i) => (i === 3 ? value + 9 : value)) };
  const found = await compare(session, { ...values, [wrong]: other }, feeds);
  expect(found.difference).toMatchObject({ value: wrong, what: 'elements' });
  expect(found.difference?.largest).toBeCloseTo(9, 2);
  await Promise.all([reference.release(), session.release()]);
});
