// Packed models, in every place where a session may run.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../dist/bundle.js';
import { accuracy } from '../dist/compare.js';
import { Session, Tensor } from '../dist/index.js';
import { pack } from '../dist/pack.js';
import { built, places } from './places.js';

const model = fileURLToPath(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));
const onnx = readFileSync(model);
const image = new Tensor(
  'float32',
  Float32Array.from({ length: 784 }, (_, i) => Math.abs(Math.sin(i))),
  [1, 1, 28, 28],
);
const answer = async (session: Session) => {
  const { probabilities } = await session.run({ image });
  await session.release();
  return probabilities?.data;
};
const one = { artefact: 'wasm', threads: 1 } as const;
const why = built('wasm') ? '' : ' (skipped: wasm is not built)';

describe.skipIf(why !== '')(`A packed model${why}`, () => {
  let packed: Uint8Array<ArrayBuffer>;
  const folder = mkdtempSync(join(tmpdir(), 'neuromancer-'));

  beforeAll(async () => {
    packed = await pack(onnx);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const { name, options } of places) {
    test.skipIf(!built(options.artefact))(`gives what the model gives ${name}`, async () => {
      const [plain, session] = [await Session.load(onnx, options), await Session.load(packed, options)];
      expect(session.model).toEqual(plain.model);
      expect(await answer(session)).toEqual(await answer(plain));
    });
  }

  test('becomes a bundle', async () => {
    const session = await Session.fromBundle(await bundle(packed));
    expect(await answer(session)).toEqual(await answer(await Session.load(onnx, one)));
  });

  test('arrives in pieces, however small', async () => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (to) => {
        if (at === packed.length) return to.close();
        const size = Math.min(1 + (at % 997), packed.length - at);
        to.enqueue(packed.slice(at, at + size));
        at += size;
      },
    });
    const session = await Session.load(new Response(body), one);
    expect(await answer(session)).toEqual(await answer(await Session.load(packed, one)));
  });

  test('is refused with a sentence when it is cut short, damaged, or used as what it is not', async () => {
    const damaged = packed.slice();
    damaged[packed.length >> 1] = (damaged[packed.length >> 1] as number) ^ 16;
    for (const [bytes, options, code, message] of [
      [packed.subarray(0, 5000), {}, 'invalid_model', 'cut short'],
      [damaged, {}, 'invalid_model', 'damaged'],
      [packed, { optimize: false }, 'invalid_argument', 'optimised when it was packed'],
      [packed, { externalData: { w: new Uint8Array(4) } }, 'invalid_argument', 'leave the external file'],
    ] as const) {
      await expect(Session.load(bytes, { ...one, ...options })).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      });
    }
    await expect(pack(packed)).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(pack(onnx, { artefact: 'wasm' } as object)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('may have its dimensions fixed and its names left out', async () => {
    const fixed = await Session.load(await pack(onnx, { dimensions: { batch: 1 }, strip: true }), one);
    expect(fixed.inputs).toMatchObject([{ name: 'image', shape: [1, 1, 28, 28] }]);
    expect(await answer(fixed)).toEqual(await answer(await Session.load(packed, one)));
    await expect(pack(onnx, { dimensions: { bach: 1 } })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining("those that it names are 'batch'"),
    });
    await expect(pack(onnx, { dimensions: { batch: 1.5 } })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('may have weights in fewer bits', async () => {
    const reference = await Session.load(onnx, one);
    for (const [weights, most, least] of [
      ['float16', 0.55, 60],
      ['int8', 0.35, 30],
      ['int4', 0.35, 20],
    ] as const) {
      const narrow = await pack(onnx, { weights });
      expect(narrow.length).toBeLessThan(most * packed.length);
      const session = await Session.load(narrow, one);
      const [output] = await accuracy(session, reference, { image });
      expect(output).toMatchObject({ name: 'probabilities', rows: 1, sameLargest: 1 });
      expect(output?.signalToNoise).toBeGreaterThan(least);
      expect(output?.signalToNoise).toBeLessThan(Number.POSITIVE_INFINITY);
      await session.release();
    }
    expect(await pack(onnx, { weights: 'float32' })).toEqual(packed);
    await expect(pack(onnx, { weights: 'int2' } as object)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('"float32", "float16", "int8" or "int4"'),
    });
  });

  test('is written on the command line', () => {
    const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
    const output = join(folder, 'digits.nm');
    const said = execFileSync(process.execPath, [cli, 'pack', model, '-o', output], { encoding: 'utf8' });
    expect(said).toBe(`${output}: ${packed.length} bytes\n`);
    expect(Buffer.compare(readFileSync(output), packed)).toBe(0);
    const narrow = execFileSync(process.execPath, [cli, 'pack', model, '-o', output, '--weights', 'int8'], {
      encoding: 'utf8',
    });
    expect(narrow).toMatch(
      /: \d{5} bytes\noutput "probabilities": differs by at most 0\.\d+ of .* dB, the largest of a row is the same in 1 of 1\n$/,
    );
    for (const [args, message] of [
      [['pack', model, '-o', 'x', '--artefact', 'wasm'], 'pack takes no --artefact'],
      [['bundle', model, '-o', 'x', '--weights', 'int8'], 'bundle takes no --weights'],
    ] as const) {
      const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd: folder });
      expect(stderr).toContain(message);
      expect(status).toBe(2);
    }
  });
});
