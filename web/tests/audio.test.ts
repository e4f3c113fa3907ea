import { describe, expect, test } from 'vitest';
import { frames, logMel, melFilters, resample } from '../dist/audio.js';
import { Session, Tensor } from '../dist/index.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';

const tone = (hertz: number, rate: number, seconds = 0.5) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));

/** The largest difference, away from both ends. */
function apart(a: Float32Array, b: Float32Array): number {
  return Math.max(...a.subarray(200, -200).map((value, i) => Math.abs(value - (b[i + 200] as number))));
}

describe('another sampling rate', () => {
  test.each([
    [48000, 16000],
    [44100, 16000],
    [16000, 48000],
    [8000, 16000],
    [22050, 24000],
  ])('a tone stays the same tone: %d to %d', (from, to) => {
    const found = resample(tone(440, from), from, to);
    expect(found.length).toBe(Math.ceil((from * 0.5 * to) / from));
    expect(apart(found, tone(440, to))).toBeLessThan(2e-3);
  });

  test('what the new rate cannot hold does not come back as another tone', () => {
    const found = resample(tone(13000, 48000), 48000, 16000);
    expect(Math.max(...found.subarray(200, -200).map(Math.abs))).toBeLessThan(5e-3);
    expect(Math.max(...resample(tone(3000, 48000), 48000, 16000).map(Math.abs))).toBeGreaterThan(0.98);
  });

  test('the same rate is a copy; no samples stay none', () => {
    const samples = Float32Array.of(1, 2);
    expect(resample(samples, 8000, 8000)).toEqual(samples);
    expect(resample(samples, 8000, 8000)).not.toBe(samples);
    expect(resample(new Float32Array(0), 48000, 16000).length).toBe(0);
  });

  test('other samples and rates are refused', () => {
    expect(() => resample([0] as never, 1, 2)).toThrow('samples of −1 to 1 in a Float32Array, not an array');
    for (const rate of [0, -1, 1.5, Number.NaN, '16000'])
      expect(() => resample(new Float32Array(1), 8000, rate as number)).toThrow('a whole number of hertz');
  });
});

describe('frames', () => {
  const samples = Float32Array.of(1, 2, 3, 4, 5);
  test.each([
    [{ size: 2 }, [2, 2], [1, 2, 3, 4]],
    [{ size: 3, hop: 1 }, [3, 3], [1, 2, 3, 2, 3, 4, 3, 4, 5]],
    [{ size: 2, pad: 'end' }, [3, 2], [1, 2, 3, 4, 5, 0]],
    [{ size: 8, pad: 'end' }, [1, 8], [1, 2, 3, 4, 5, 0, 0, 0]],
    [{ size: 8 }, [0, 8], []],
    [{ size: 4, hop: 2, pad: 'reflect' }, [3, 4], [3, 2, 1, 2, 1, 2, 3, 4, 3, 4, 5, 4]],
  ] as const)('%o', (options, shape, data) => {
    expect(frames(samples, options)).toEqual({ type: 'float32', shape, data: Float32Array.from(data) });
  });

  test('what cannot be is refused', () => {
    expect(() => frames(samples, {} as never)).toThrow('needs the option "size"');
    expect(() => frames(samples, { size: 0 })).toThrow('a whole number of 1 or more');
    expect(() => frames(samples, { size: 12, pad: 'reflect' })).toThrow('too short to be mirrored by 6');
  });
});

describe('log-mel', () => {
  // Slaney's scale has 15 mel at 1000 Hz; three bands up to 30 mel are 7.5 mel apart.
  test('bands lie where the scale says, by hand', () => {
    const high = 1000 * Math.exp((15 / 27) * Math.log(6.4));
    const [first] = melFilters(3, 65, 12800, 0, high, 'slaney') as [Float32Array];
    // 0, 500, 1000 Hz: the peak 2 / 1000 at bin 5 of 100 Hz.
    expect([...first.subarray(0, 11)].map((weight) => Math.round(weight * 1e6))).toEqual(
      [0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0].map((i) => i * 400),
    );
    const [htk] = melFilters(1, 3, 8000, 0, 4000, 'htk') as [Float32Array];
    // The middle of 0 to 2146.06 mel is 1113.1 Hz: 2000 Hz is (4000 − 2000) ÷ (4000 − 1113.1).
    expect(htk[1]).toBeCloseTo(0.69277, 3);
  });

  test('a tone is loudest in its band', () => {
    const centres = Array.from(
      { length: 40 },
      (_, i) => 700 * (10 ** (((i + 1) / 41) * Math.log10(1 + 8000 / 700)) - 1),
    );
    for (const band of [8, 20, 33]) {
      const { data, shape } = logMel(tone(centres[band] as number, 16000), { mels: 40, scale: 'htk', size: 512 });
      expect(shape).toEqual([40, 51]);
      const middle = Array.from({ length: 40 }, (_, i) => (data as Float32Array)[i * 51 + 25] as number);
      expect(middle.indexOf(Math.max(...middle))).toBe(band);
    }
  });

  test('silence is the floor', () => {
    expect(new Set(logMel(new Float32Array(800)).data as Float32Array)).toEqual(new Set([-10]));
    expect(logMel(new Float32Array(800), { floor: Math.E, log: 'e' }).data).toContain(1);
  });

  // 400 = 2⁴ · 5², 256, and 23 and 127, which are prime.
  test.skipIf(!built('wasm')).each([400, 256, 23, 127])("the same as ONNX's STFT under %d samples", async (size) => {
    const samples = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * i * 0.001) + 0.3 * Math.cos(i * 0.7));
    const window = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
    const bins = Math.floor(size / 2) + 1;
    const session = await Session.load(
      modelOf(
        [{ op: 'STFT', inputs: ['signal', 'hop', 'window'], outputs: ['spectrum'], attributes: { onesided: 1 } }],
        { signal: 'float32[1,1000,1]', hop: 'int64[]', window: `float32[${size}]` },
        { spectrum: 'float32[1,?,?,2]' },
      ),
      { artefact: 'wasm', threads: 1 },
    );
    const { spectrum } = await session.run({
      signal: new Tensor('float32', samples, [1, 1000, 1]),
      hop: new Tensor('int64', [100], []),
      window: new Tensor('float32', window),
    });
    await session.release();
    const [, count = 0] = (spectrum as Tensor).shape;
    const parts = (spectrum as Tensor).toFloat32();
    const mels = 12;
    const filters = melFilters(mels, bins, 16000, 0, 8000, 'slaney');
    const { data, shape } = logMel(samples, { size, hop: 100, mels, pad: 'none', floor: 1e-6 });
    expect(shape).toEqual([mels, count]);
    for (let band = 0; band < mels; band++) {
      for (let frame = 0; frame < count; frame++) {
        let power = 0;
        filters[band]?.forEach((weight, bin) => {
          const at = 2 * (frame * bins + bin);
          power += weight * ((parts[at] as number) ** 2 + (parts[at + 1] as number) ** 2);
        });
        expect((data as Float32Array)[band * count + frame]).toBeCloseTo(Math.log10(Math.max(power, 1e-6)), 3);
      }
    }
  });

  test('bands beyond half of the rate are refused', () => {
    expect(() => logMel(new Float32Array(800), { high: 9000 })).toThrow('half of the sampling rate, 8000 Hz');
    expect(() => logMel(new Float32Array(800), { low: 500, high: 500 })).toThrow('Bands from 500 to 500 Hz');
    expect(() => logMel(new Float32Array(10))).toThrow('too short to be mirrored by 200');
  });
});
