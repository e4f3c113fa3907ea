// A voice of Piper: what its config.json says of phonemes, and the sound as a file.
import { readFileSync } from 'node:fs';

interface Config {
  readonly audio: { readonly sample_rate: number };
  readonly inference: { readonly noise_scale: number; readonly length_scale: number; readonly noise_w: number };
  readonly phoneme_id_map: Readonly<Record<string, readonly number[]>>;
}

export interface Voice {
  readonly sampleRate: number;
  /** Noise of the sound, length, noise of the lengths: what the model's input "scales" is by default. */
  readonly scales: readonly number[];
  /** The model's input for phonemes, written as espeak-ng writes them. */
  ids(phonemes: string): bigint[];
}

/** The sentence "The birch canoe slid on the smooth planks." as espeak-ng says it in American English. */
export const sentence = 'ðə bˈɜːtʃ kənˈuː slˈɪd ɔnðə smˈuːð plˈæŋks.';

/** Of the model's file, beside which the voice's description lies. */
export function voiceOf(model: string): Voice {
  const { audio, inference, phoneme_id_map: map } = JSON.parse(readFileSync(`${model}.json`, 'utf8')) as Config;
  const idsOf = (phoneme: string) => {
    const ids = Object.hasOwn(map, phoneme) ? map[phoneme] : undefined;
    if (ids === undefined) throw new Error(`The voice has no phoneme "${phoneme}".`);
    return ids;
  };
  return {
    sampleRate: audio.sample_rate,
    scales: [inference.noise_scale, inference.length_scale, inference.noise_w],
    ids: (phonemes) => {
      // A beginning, a pad behind it and behind each phoneme, and an end.
      const all = ['^', ...phonemes].flatMap((phoneme) => [...idsOf(phoneme), ...idsOf('_')]);
      return [...all, ...idsOf('$')].map(BigInt);
    },
  };
}

/** A WAV file of 16-bit samples. */
export function wavOf(samples: Float32Array, rate: number): Uint8Array {
  const bytes = new Uint8Array(44 + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const text = (at: number, letters: string) => bytes.set(new TextEncoder().encode(letters), at);
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // whole numbers
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => {
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, sample))), true);
  });
  return bytes;
}
