// Models and the engine in one file.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../dist/bundle.js';
import * as bundled from '../dist/bundled.js';
import { Session, Tensor } from '../dist/index.js';
import { built } from './places.js';

const handwriting = readFileSync(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));
const image = (batch = 1) =>
  new Tensor(
    'float32',
    Float32Array.from({ length: batch * 784 }, (_, i) => Math.abs(Math.sin(i))),
    [batch, 1, 28, 28],
  );
const why = built('wasm') ? '' : ' (skipped: wasm is not built)';

describe.skipIf(why !== '')(`A bundle${why}`, () => {
  let bytes: Uint8Array<ArrayBuffer>;
  let expected: Awaited<ReturnType<typeof answers>>;
  const folder = mkdtempSync(join(tmpdir(), 'neuromancer-'));

  async function answers(session: Session) {
    const results = [];
    for (const batch of [1, 3, 64]) {
      results.push((await session.run({ image: image(batch) })).probabilities?.data);
    }
    return results;
  }

  beforeAll(async () => {
    bytes = await bundle(handwriting);
    const loaded = await Session.load(handwriting, { artefact: 'wasm', threads: 1 });
    expected = await answers(loaded);
    await loaded.release();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('gives what the model gives, for the dimensions planned and for others', async () => {
    const session = await Session.fromBundle(bytes);
    expect(session.inputs).toMatchObject([{ name: 'image', type: 'float32', shape: ['batch', 1, 28, 28] }]);
    expect(session.engine).toMatchObject({ artefact: 'wasm', threads: 1, worker: false });
    expect(await answers(session)).toEqual(expected);
    await session.release();
  });

  test('makes any number of sessions that share nothing', async () => {
    const module = await WebAssembly.compile(bytes);
    const sessions = await Promise.all(Array.from({ length: 5 }, () => Session.fromBundle(module)));
    const all = await Promise.all(sessions.map(answers));
    for (const given of all) expect(given).toEqual(expected);
    await sessions[0]?.release();
    expect(await answers(sessions[1] as Session)).toEqual(expected);
  });

  test('is planned: the first run begins without shape inference, and memory does not grow for it', async () => {
    const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(bytes), {});
    expect(exports._initialize).toBeUndefined();
    expect((exports.nm_session as WebAssembly.Global).value).toBeGreaterThan(0);
    const before = (exports.memory as WebAssembly.Memory).buffer.byteLength;
    const session = await Session.fromBundle(bytes);
    await session.run({ image: image() });
    expect((exports.memory as WebAssembly.Memory).buffer.byteLength).toBe(before);
  });

  test('is not much larger than the engine and the weights', async () => {
    const engine = readFileSync(new URL('../dist/neuromancer-wasm.wasm', import.meta.url)).length;
    const session = await Session.load(handwriting, { artefact: 'wasm', threads: 1 });
    expect(bytes.length).toBeLessThan(engine + session.model.weightBytes + 250_000);
    await session.release();
  });

  test('is the same file every time', async () => {
    expect(Buffer.compare(await bundle(handwriting), bytes)).toBe(0);
  });

  test('takes dimensions by name, and refuses what is none of its options', async () => {
    const planned = await Session.fromBundle(await bundle(handwriting, { dimensions: { batch: 3 } }));
    expect(await answers(planned)).toEqual(expected);
    await expect(bundle(handwriting, { dimension: {} } as object)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('Did you mean "dimensions"?'),
    });
    await expect(bundle(handwriting, { artefact: 'wasm-threads' as 'wasm' })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await expect(bundle(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({ code: 'invalid_model' });
  });

  test('is opened by an entry without an engine, which says so where it would need one', async () => {
    const session = await bundled.Session.fromBundle(bytes);
    expect(await answers(session as unknown as Session)).toEqual(expected);
    await expect(bundled.Session.load(handwriting)).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: expect.stringContaining('Session.fromBundle'),
    });
    const wasm = new URL('../dist/neuromancer-wasm.wasm', import.meta.url);
    expect(await answers((await bundled.Session.load(handwriting, { wasm })) as unknown as Session)).toEqual(expected);
    expect(readFileSync(new URL('../dist/bundled.js', import.meta.url), 'utf8')).not.toContain('.wasm"');
  });

  test('is told from other modules', async () => {
    const engine = new URL('../dist/neuromancer-wasm.wasm', import.meta.url);
    await expect(Session.fromBundle(readFileSync(engine))).rejects.toMatchObject({
      code: 'invalid_model',
      message: expect.stringContaining('has no model inside'),
    });
    await expect(Session.fromBundle(handwriting)).rejects.toMatchObject({ code: 'engine_unavailable' });
    await expect(Session.fromBundle(bytes.subarray(0, 1000))).rejects.toMatchObject({ code: 'engine_unavailable' });
  });

  describe('on the command line', () => {
    const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
    const model = fileURLToPath(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));

    test('is written to a file', () => {
      const output = join(folder, 'digits.wasm');
      const said = execFileSync(process.execPath, [cli, 'bundle', model, '-o', output], { encoding: 'utf8' });
      expect(said).toBe(`${output}: ${bytes.length} bytes\n`);
      expect(Buffer.compare(readFileSync(output), bytes)).toBe(0);
    });

    test('takes a build of the engine of its own', () => {
      const engine = fileURLToPath(new URL('../dist/neuromancer-wasm.wasm', import.meta.url));
      const output = join(folder, 'own.wasm');
      execFileSync(process.execPath, [cli, 'bundle', model, '--wasm', engine, '-o', output]);
      expect(Buffer.compare(readFileSync(output), bytes)).toBe(0);
    });

    test.each([
      [['bundle', model], 2, 'the option -o'],
      [['bundle', model, '-o', 'x', '--artefact', 'wasm', '--wasm', 'y'], 2, 'bundle takes one engine'],
      [['bundle', model, '-o', 'x', '--wasm', model], 1, 'engine_unavailable'],
      [['bndle'], 2, 'no command "bndle"'],
      [['bundle', model, '-o', 'x', '--dimension', 'batch'], 2, '--dimension takes NAME=N'],
      [['bundle', model, '-o', 'x', '--external', '../secret'], 2, "outside the model's folder"],
      [['bundle', model, '-o', 'x', '--nonsense'], 2, '--nonsense'],
      [['bundle', 'nowhere.onnx', '-o', 'x'], 1, 'nowhere.onnx'],
      [['bundle', 'broken.onnx', '-o', 'x'], 1, 'invalid_model'],
    ])('%j ends with the code %i and says what is wrong', (args, code, message) => {
      writeFileSync(join(folder, 'broken.onnx'), 'this is no model');
      const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd: folder });
      expect(stderr).toContain(message);
      expect(status).toBe(code);
    });
  });
});
