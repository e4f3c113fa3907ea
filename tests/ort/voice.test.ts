// A voice of Piper with its real weights says the same through both packages (models/piper/README.md has where it is).
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Session, Tensor } from 'neuromancer';
import * as ort from 'onnxruntime-web';
import { describe, expect, test } from 'vitest';
import { sentence, voiceOf, wavOf } from '../../models/piper/voice.ts';

const model = process.env.NM_VOICE;
const runs = Number(process.env.NM_VOICE_RUNS ?? 1);
/** Processor time, which other programs on the machine change little. */
const milliseconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] as number;

describe(`a voice${model === undefined ? ' (skipped: NM_VOICE names no model of one)' : ''}`, () => {
  test.skipIf(model === undefined)(
    'speaks a sentence, the same as through onnxruntime-web',
    async () => {
      const voice = voiceOf(model as string);
      const ids = BigInt64Array.from(voice.ids(sentence));
      const bytes = new Uint8Array(await readFile(model as string));
      ort.env.wasm.numThreads = 1;
      const ours = await Session.load(bytes, { threads: 1 });
      const theirs = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
      const [name = ''] = ours.outputs.map((output) => output.name);

      const speak = async (scales: readonly number[]) => {
        const { [name]: sound } = await ours.run({
          input: new Tensor('int64', ids, [1, ids.length]),
          input_lengths: new Tensor('int64', [ids.length]),
          scales: new Tensor('float32', scales),
        });
        return (sound as Tensor).data as Float32Array;
      };
      const reference = async (scales: readonly number[]) => {
        const { [name]: sound } = await theirs.run({
          input: new ort.Tensor('int64', ids, [1, ids.length]),
          input_lengths: new ort.Tensor('int64', BigInt64Array.of(BigInt(ids.length)), [1]),
          scales: new ort.Tensor('float32', Float32Array.from(scales), [3]),
        });
        return sound?.data as Float32Array;
      };

      // Without noise nothing is left to chance.
      const quiet = [0, voice.scales[1] as number, 0];
      const times: Record<'ours' | 'theirs', number[]> = { ours: [], theirs: [] };
      let said: Float32Array = new Float32Array();
      let expected: Float32Array = said;
      for (let run = 0; run < runs; run++) {
        const begin = milliseconds();
        said = await speak(quiet);
        const between = milliseconds();
        expected = await reference(quiet);
        times.ours.push(between - begin);
        times.theirs.push(milliseconds() - between);
      }
      // 2 to 4 seconds for 8 words.
      expect(said.length / voice.sampleRate).toBeGreaterThan(1.5);
      expect(said.length / voice.sampleRate).toBeLessThan(5);
      expect(said).toHaveLength(expected.length);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const difference = said.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))), 0);
      expect(largest).toBeGreaterThan(0.1);
      expect(difference).toBeLessThan(1e-3 * largest);

      // With noise it is another sound every time, about as long and as loud.
      const loudness = (sound: Float32Array) => Math.sqrt(sound.reduce((sum, x) => sum + x * x, 0) / sound.length);
      const [lively, again] = [await speak(voice.scales), await speak(voice.scales)];
      expect(Math.abs(lively.length / said.length - 1)).toBeLessThan(0.3);
      expect(Math.abs(loudness(lively) / loudness(said) - 1)).toBeLessThan(0.5);
      expect(lively.length === again.length && lively.every((x, i) => x === again[i])).toBe(false);

      const [mine, other] = [median(times.ours), median(times.theirs)];
      console.log(
        `${(said.length / voice.sampleRate).toFixed(2)} s of speech in ${mine.toFixed(0)} ms of a processor (${ours.engine.artefact}), ` +
          `through onnxruntime-web in ${other.toFixed(0)} ms: ${(other / mine).toFixed(2)} times; ` +
          `largest difference ${(difference / largest).toExponential(1)} of the largest sample`,
      );
      if (process.env.NM_VOICE_FILE !== undefined)
        writeFileSync(process.env.NM_VOICE_FILE, wavOf(lively, voice.sampleRate));
      await Promise.all([ours.release(), theirs.release()]);
    },
    300_000,
  );
});
