// The package on the real engine: every artefact that is built, in Node.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { modelFile, whyWithout } from '../../models/folder.js';
import { decodeTensor } from '../../tests/web-conformance/onnx-data.js';
import { type Artefact, detectFeatures, type Outputs, type Profile, Session, Tensor } from '../dist/index.js';
import { isThreaded } from '../src/engine/loader.js';

const root = new URL('../../', import.meta.url);
const handwriting = new URL('models/handwriting/handwriting.onnx', root);
const blank = () => new Tensor('float32', new Float32Array(784), [1, 1, 28, 28]);

const artefacts: Artefact[] = ['wasm', 'wasm-relaxed', 'wasm-threads', 'wasm-relaxed-threads', 'wasm64'];

/** Real models whose operators the engine has from its first version on. */
const models = ['mnist-cntk', 'squeezenet-fp16', 'ultraface-rfb-320', 'yolox-nano-416'];

interface IndexEntry {
  name: string;
  suggested_tolerance: { rtol: number; atol: number };
}

for (const artefact of artefacts) {
  const built = existsSync(new URL(`../dist/neuromancer-${artefact}.wasm`, import.meta.url));
  const { relaxedSimd, memory64 } = detectFeatures();
  const runs = artefact === 'wasm64' ? memory64 && relaxedSimd : relaxedSimd || !artefact.includes('relaxed');
  const why = built ? (runs ? '' : ' (skipped: this Node has not what it needs)') : ' (skipped: not built)';
  describe.skipIf(why !== '')(`${artefact}${why}`, () => {
    suite(artefact);
  });
}

function suite(artefact: Artefact): void {
  const threads = isThreaded(artefact) ? 2 : 1;
  const load = (options = {}) => Session.load(handwriting, { artefact, threads, ...options });

  test('says what it is', async () => {
    const session = await load();
    expect(session.engine).toMatchObject({ artefact, threads });
    expect(session.inputs).toMatchObject([{ name: 'image', type: 'float32', shape: ['batch', 1, 28, 28] }]);
    await session.release();
  });

  test('gives probabilities, the same ones every time, for any batch', async () => {
    const session = await load();
    const one = (await session.run({ image: blank() })).probabilities as Tensor;
    expect(one.toFloat32().reduce((sum, p) => sum + p)).toBeCloseTo(1, 4);
    const three = (await session.run({ image: new Tensor('float32', new Float32Array(3 * 784), [3, 1, 28, 28]) }))
      .probabilities as Tensor;
    expect(three.shape).toEqual([3, 36]);
    expect((await session.run({ image: blank() })).probabilities?.data).toEqual(one.data);
    await session.release();
  });

  test('in a worker: the same numbers, profile, steps and memory', async () => {
    const [here, there] = await Promise.all([load(), load({ worker: true })]);
    let profile: Profile | undefined;
    const remote = await there.run({ image: blank() }, { profile: (p) => (profile = p) });
    expect(remote.probabilities?.data).toEqual((await here.run({ image: blank() })).probabilities?.data);
    expect(profile?.steps.length).toBe((await there.steps()).length);
    expect(profile?.steps.some(({ operator }) => operator === 'Conv')).toBe(true);
    expect((await there.memory()).heap).toBeGreaterThan(0);
    await Promise.all([here.release(), there.release()]);
    await expect(there.run({ image: blank() })).rejects.toMatchObject({ code: 'session_closed' });
  });

  test('a session in a worker keeps Node alive while a call is under way, and no longer', () => {
    const script = new URL('one-run.mjs', import.meta.url);
    const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(script), handwriting.href, artefact], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect([stdout.trim(), status]).toEqual(['36', 0]);
  });

  test.each([false, true])('a run can be cancelled, and the session goes on (worker: %s)', async (worker) => {
    const session = await load({ worker });
    const controller = new AbortController();
    const large = new Tensor('float32', new Float32Array(400 * 784), [400, 1, 28, 28]);
    const run = session.run({ image: large }, { signal: controller.signal });
    controller.abort();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect((await session.run({ image: blank() })).probabilities?.size).toBe(36);
    await session.release();
  });

  test('wrong shapes and types are refused with expectation and fact', async () => {
    const session = await load();
    const small = new Tensor('float32', new Float32Array(4), [1, 1, 2, 2]);
    await expect(session.run({ image: small })).rejects.toMatchObject({ code: 'shape_mismatch', input: 'image' });
    const bytes = new Tensor('uint8', new Uint8Array(784), [1, 1, 28, 28]);
    await expect(session.run({ image: bytes })).rejects.toMatchObject({ code: 'type_mismatch', input: 'image' });
    await session.release();
  });

  test.each([false, true])('bytes that are no model are refused (worker: %s)', async (worker) => {
    const bytes = new Uint8Array(readFileSync(handwriting));
    for (const broken of [
      new Uint8Array(0),
      bytes.slice(0, bytes.length / 2),
      new TextEncoder().encode('<!doctype html>'),
    ]) {
      await expect(Session.load(broken, { artefact, threads, worker })).rejects.toMatchObject({
        code: 'invalid_model',
      });
    }
  });

  test('views share the engine memory, copies do not', async () => {
    const session = await load();
    const view = (await session.run({ image: blank() }, { outputs: 'view' })).probabilities as Tensor;
    const copy = (await session.run({ image: blank() })).probabilities as Tensor;
    expect(ArrayBuffer.isView(view.data) && view.data.buffer.byteLength).toBeGreaterThan(65536);
    expect(ArrayBuffer.isView(copy.data) && copy.data.buffer.byteLength).toBe(36 * 4);
    await session.release();
  });

  test.runIf(threads === 1)('needs no import', async () => {
    const bytes = readFileSync(new URL(`../dist/neuromancer-${artefact}.wasm`, import.meta.url));
    expect(WebAssembly.Module.imports(await WebAssembly.compile(bytes))).toEqual([]);
  });

  const missing = whyWithout(...models, 'mnist-external-data');
  test.skipIf(missing !== '').each(models)(`%s gives the reference's results${missing}`, async (name) => {
    const folder = modelFile(name, '');
    const index = JSON.parse(readFileSync(modelFile('.', 'INDEX.json'), 'utf8')) as { models: IndexEntry[] };
    const { rtol, atol } = (index.models.find((entry) => entry.name === name) as IndexEntry).suggested_tolerance;
    const session = await Session.load(new URL('model.onnx', folder), { artefact, threads });
    for (const set of readdirSync(folder).filter((entry) => entry.startsWith('test_data_set_'))) {
      const read = (file: string) => Tensor.of(decodeTensor(readFileSync(new URL(`${set}/${file}`, folder))));
      const feeds = Object.fromEntries(session.inputs.map((input, i) => [input.name, read(`input_${i}.pb`)]));
      const outputs: Outputs = await session.run(feeds);
      session.outputs.forEach((output, i) => {
        expectClose(outputs[output.name] as Tensor, read(`output_${i}.pb`), rtol, atol);
      });
    }
    await session.release();
  });

  test.skipIf(missing !== '')(`external data is found by its path${missing}`, async () => {
    const folder = modelFile('mnist-external-data', '');
    const session = await Session.load(new URL('model.onnx', folder), {
      artefact,
      threads,
      externalData: { 'mnist.onnx.data': new URL('mnist.onnx.data', folder) },
    });
    expect(session.model.weightBytes).toBeGreaterThan(100_000);
    await session.release();
  });
}

function expectClose(actual: Tensor, expected: Tensor, rtol: number, atol: number): void {
  expect(actual.type).toBe(expected.type);
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [actual.toFloat32(), expected.toFloat32()];
  const worst = a.findIndex(
    (value, i) => !(Math.abs(value - (b[i] as number)) <= atol + rtol * Math.abs(b[i] as number)),
  );
  expect(worst === -1 ? 'close' : `element ${worst}: ${a[worst]} is not ${b[worst]}`).toBe('close');
}
