// Models with state in an audio worklet, frame by frame: a voice detector, as docs/audio-worklets.md has it, and a denoiser. What
// they say is what they say in the page, and a page that is in a loop does not hold them up.
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { besideModels, modelFile, whyWithout } from '../../models/folder.ts';
import { browsers, type Driver } from './drivers.ts';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';

const recipe = readFileSync(new URL('../../docs/audio-worklets.md', import.meta.url), 'utf8');
/** With the time of each answer, and the addresses of what a worklet does not know by name. */
const voice = (/```js\n(\/\/ voice\.js[\s\S]*?)```/.exec(recipe)?.[1] ?? '')
  .replace("'neuromancer'", "'/index.js'")
  .replace("'neuromancer/stream'", "'/stream.js'")
  .replace('postMessage(output.data[0])', 'postMessage([output.data, Date.now()])');

/** The spectrum of 512 samples under the root of a Hann window: real and imaginary parts, as the denoiser takes it. */
const spectrum = `
const size = 512;
const turns = Array.from({ length: size }, (_, i) => (2 * Math.PI * i) / size);
const [cosines, sines] = [turns.map(Math.cos), turns.map(Math.sin)];
export function spectrum(samples) {
  const windowed = samples.map((sample, i) => sample * Math.sin((Math.PI * i) / size));
  const parts = new Float32Array(size + 2);
  for (let k = 0; k <= size / 2; k++) {
    for (let i = 0; i < size; i++) {
      parts[2 * k] += windowed[i] * cosines[(k * i) % size];
      parts[2 * k + 1] -= windowed[i] * sines[(k * i) % size];
    }
  }
  return { type: 'float32', data: parts, shape: [1, size / 2 + 1, 1, 2] };
}`;

const denoiser = `
import { Session } from '/index.js';
import { stream } from '/stream.js';
import { spectrum } from '/spectrum.js';
class Denoiser extends AudioWorkletProcessor {
  #samples = new Float32Array(512);
  #filled = 256;
  #quiet;
  constructor({ processorOptions: { wasm, model } }) {
    super();
    Session.load(model, { wasm }).then((session) => {
      this.#quiet = stream(session);
      this.port.postMessage('ready');
    });
  }
  process([[sound]]) {
    if (sound === undefined || this.#quiet === undefined) return true;
    this.#samples.set(sound, this.#filled);
    this.#filled += sound.length;
    if (this.#filled === 512) {
      this.#quiet.run({ mix: spectrum(this.#samples) }).then(({ enh }) => this.port.postMessage([enh.data, Date.now()]));
      this.#samples.copyWithin(0, 256);
      this.#filled = 256;
    }
    return true;
  }
}
registerProcessor('denoiser', Denoiser);`;

const scripts: Readonly<Record<string, string>> = {
  '/voice.js': voice,
  '/denoiser.js': denoiser,
  '/spectrum.js': spectrum,
};
const port = servePackage((path) => {
  if (path in scripts) return scripts[path];
  const [, name, ending] = /^\/([\w-]+)\.(onnx|wav)$/.exec(path) ?? [];
  if (name === undefined) return undefined;
  const file = ending === 'wav' ? besideModels(`media/${name}.wav`) : modelFile(name);
  return existsSync(file) ? readFileSync(file) : undefined;
});

interface Setting {
  readonly processor: string;
  readonly model: string;
  readonly sound: string;
  /** Samples from one frame to the next, and those of the frame before that it has again. */
  readonly hop: number;
  readonly before: number;
  /** A function of a frame's samples, and the name of the output, for the page. */
  readonly feeds: string;
  readonly output: string;
}

interface Heard {
  inWorklet: number[][];
  inPage: number[][];
  /** From one frame to the next, when the page has nothing to do and when it is in a loop all the time. */
  milliseconds: number[];
}

const listen = ({ processor, model, sound, hop, before, feeds, output }: Setting) => `(async () => {
  const { Session } = await import('/index.js');
  const { stream } = await import('/stream.js');
  const { spectrum } = await import('/spectrum.js');
  const read = async (path) => (await fetch(path)).arrayBuffer();
  const wasm = await WebAssembly.compileStreaming(fetch('/neuromancer-wasm.wasm'));
  const model = await read('/${model}.onnx');
  const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(await read('/${sound}.wav'));
  const frames = Math.floor(sound.length / ${hop});

  async function inWorklet(busy) {
    const context = new OfflineAudioContext(1, frames * ${hop}, 16000);
    await context.audioWorklet.addModule('/${processor}.js');
    const node = new AudioWorkletNode(context, '${processor}', { processorOptions: { wasm, model } });
    const source = new AudioBufferSourceNode(context, { buffer: sound });
    source.connect(node).connect(context.destination);
    source.start();
    const said = [];
    await new Promise((resolve) => {
      node.port.onmessage = ({ data }) => (data === 'ready' ? resolve() : said.push(data));
    });
    const rendered = context.startRendering();
    if (busy) for (const end = performance.now() + 1000; performance.now() < end; );
    await rendered;
    while (said.length < frames) await new Promise((resolve) => setTimeout(resolve, 10));
    const milliseconds = (said.at(-1)[1] - said[0][1]) / (frames - 1);
    return { heard: said.map(([data]) => Array.from(data)), milliseconds };
  }

  async function inPage() {
    const session = await Session.load(model, { wasm, threads: 1 });
    const state = stream(session);
    const samples = new Float32Array(${before} + frames * ${hop});
    samples.set(sound.getChannelData(0).subarray(0, frames * ${hop}), ${before});
    const heard = [];
    for (let at = 0; heard.length < frames; at += ${hop}) {
      const outputs = await state.run((${feeds})(samples.slice(at, at + ${before + hop})));
      heard.push(Array.from(outputs.${output}.data));
    }
    await session.release();
    return heard;
  }

  const [idle, busy] = [await inWorklet(false), await inWorklet(true)];
  if (String(idle.heard) !== String(busy.heard)) throw new Error('a busy page changes what is heard');
  return { inWorklet: idle.heard, inPage: await inPage(), milliseconds: [idle.milliseconds, busy.milliseconds] };
})()`;

/** What is heard in the worklet, frame by frame, after it was compared with the page's. */
async function heardAlike(driver: Driver, setting: Setting): Promise<number[][]> {
  await driver.open(`http://localhost:${port()}/`);
  const { inWorklet, inPage, milliseconds } = await driver.evaluate<Heard>(listen(setting));
  const [idle, busy] = milliseconds.map((time) => time.toFixed(3));
  const frame = setting.hop / 16;
  console.log(`${setting.model}: ${frame} ms of sound in ${idle} ms, in ${busy} ms while the page is in a loop`);
  expect(inWorklet).toEqual(inPage);
  return inWorklet;
}

async function hearsVoices(driver: Driver): Promise<void> {
  const sr = '{ type: "int64", data: BigInt64Array.of(16000n), shape: [] }';
  const heard = await heardAlike(driver, {
    processor: 'voice',
    model: 'silero-vad-v6',
    sound: 'jfk',
    hop: 512,
    before: 64,
    feeds: `(data) => ({ input: { type: 'float32', data, shape: [1, 576] }, sr: ${sr} })`,
    output: 'output',
  });
  // Eleven seconds, in which somebody speaks and is silent.
  expect(heard.length).toBe(343);
  expect(heard.filter(([probability = 0]) => probability > 0.9).length).toBeGreaterThan(150);
  expect(heard.filter(([probability = 1]) => probability < 0.1).length).toBeGreaterThan(20);
}

async function takesNoiseAway(driver: Driver): Promise<void> {
  const heard = await heardAlike(driver, {
    processor: 'denoiser',
    model: 'gtcrn',
    sound: 'jfk-short',
    hop: 256,
    before: 256,
    feeds: '(samples) => ({ mix: spectrum(samples) })',
    output: 'enh',
  });
  expect(heard.length).toBe(181);
  expect(heard.flat().every(Number.isFinite)).toBe(true);
  expect(Math.max(...heard.map((parts) => Math.max(...parts)))).toBeGreaterThan(1);
}

inEachBrowser(browsers, 'a voice detector in a worklet', hearsVoices, whyWithout('silero-vad-v6'));
inEachBrowser(browsers, 'a denoiser in a worklet', takesNoiseAway, whyWithout('gtcrn'));
