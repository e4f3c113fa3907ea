// A voice of Piper with its real weights in a page: it speaks in a worker, and the sound is played. Without noise that is what
// Node makes of the same sentence. Runs where NM_VOICE names a voice's model (models/piper/README.md has where it is).
import { readFileSync } from 'node:fs';
import { Session } from 'neuromancer';
import { expect } from 'vitest';
import { sentence, voiceOf } from '../../models/piper/voice.ts';
import { browsers, type Driver } from './drivers.ts';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';

const model = process.env.NM_VOICE;
const port = servePackage((path) => (path === '/voice.onnx' ? readFileSync(model as string) : undefined));

interface Spoken {
  readonly samples: number[];
  /** The same, through an AudioBuffer and the graph that plays it. */
  readonly played: number[];
  readonly milliseconds: number;
  readonly artefact: string;
}

const speak = (ids: readonly bigint[], scales: readonly number[], rate: number) => `(async () => {
  const { Session } = await import('/index.js');
  const session = await Session.load('/voice.onnx', { worker: true });
  const feeds = {
    input: { type: 'int64', data: BigInt64Array.of(${ids.map((id) => `${id}n`)}), shape: [1, ${ids.length}] },
    input_lengths: { type: 'int64', data: BigInt64Array.of(${ids.length}n), shape: [1] },
    scales: { type: 'float32', data: Float32Array.of(${scales}), shape: [${scales.length}] },
  };
  const start = performance.now();
  const { output } = await session.run(feeds);
  const milliseconds = performance.now() - start;
  const buffer = new AudioBuffer({ length: output.data.length, sampleRate: ${rate} });
  buffer.copyToChannel(output.data, 0);
  const context = new OfflineAudioContext(1, buffer.length, ${rate});
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start();
  const played = (await context.startRendering()).getChannelData(0);
  const { artefact } = session.engine;
  await session.release();
  return { samples: Array.from(output.data), played: Array.from(played), milliseconds, artefact };
})()`;

async function speaks(driver: Driver): Promise<void> {
  const voice = voiceOf(model as string);
  const ids = voice.ids(sentence);
  const scales = [0, voice.scales[1] as number, 0];
  const session = await Session.load(new Uint8Array(readFileSync(model as string)), { threads: 1 });
  const { output } = await session.run({
    input: { type: 'int64', data: BigInt64Array.from(ids), shape: [1, ids.length] },
    input_lengths: { type: 'int64', data: BigInt64Array.of(BigInt(ids.length)), shape: [1] },
    scales: { type: 'float32', data: Float32Array.from(scales), shape: [scales.length] },
  });
  await session.release();
  const expected = output?.data as Float32Array;

  await driver.open(`http://localhost:${port()}/`);
  const { samples, played, milliseconds, artefact } = await driver.evaluate<Spoken>(
    speak(ids, scales, voice.sampleRate),
  );
  const seconds = samples.length / voice.sampleRate;
  console.log(`${seconds.toFixed(2)} s of speech in ${milliseconds.toFixed(0)} ms of the clock (${artefact})`);
  expect(samples).toHaveLength(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = samples.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))), 0);
  expect(largest).toBeGreaterThan(0.1);
  expect(difference).toBeLessThan(1e-3 * largest);
  expect(played).toEqual(samples);
}

const without = model === undefined ? ' (skipped: NM_VOICE names no model of a voice)' : '';
inEachBrowser(browsers, 'a voice speaks', speaks, without, 180_000);
