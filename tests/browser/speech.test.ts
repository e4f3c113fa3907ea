// Whisper with its real weights in a page of Chromium: through neuromancer/generate and neuromancer/audio, and through
// transformers.js on this engine and on onnxruntime-web. The same text; the times are told. Runs where NM_WHISPER names a
// folder that models/whisper/convert.py wrote.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { besideModels } from '../../models/folder.ts';
import { browsers, type Driver } from './drivers.ts';
import { inEachBrowser } from './in-each-browser.ts';
import { pageWithImports, servePackage } from './package-server.ts';

const folder = process.env.NM_WHISPER;
const sound = besideModels('media/jfk.wav');
/** Where the page's transformers.js finds its runtime. */
const runtimes: Readonly<Record<string, string>> = {
  Neuromancer: '/ort.js',
  'onnxruntime-web': '/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs',
};
const pageWith = (runtime: string) =>
  pageWithImports({
    'onnxruntime-common': '/node_modules/onnxruntime-common/dist/esm/index.js',
    'onnxruntime-web/webgpu': runtime,
  });

const port = servePackage((path) => {
  if (path === '/sound.wav') return readFileSync(sound);
  const [, runtime = ''] = /^\/(.*)\.html$/.exec(path) ?? [];
  if (runtime in runtimes) return pageWith(runtimes[runtime] as string);
  const [, file] = /^\/models\/whisper\/(.+)$/.exec(path) ?? [];
  if (file === undefined) return undefined;
  const found = join(folder as string, file);
  return existsSync(found) ? readFileSync(found) : undefined;
});

/** The recording as Whisper takes it: samples of one channel, 16,000 a second. */
const samples = `(async () => {
  const bytes = await (await fetch('/sound.wav')).arrayBuffer();
  return (await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytes)).getChannelData(0);
})()`;

/** Twice: the second time everything is compiled. */
const twice = `async (transcribe) => {
  const told = { text: '', milliseconds: [] };
  for (let i = 0; i < 2; i++) {
    const begun = performance.now();
    told.text = (await transcribe()).trim();
    told.milliseconds.push(performance.now() - begun);
  }
  return told;
}`;

const ours = `(async () => {
  const { Session } = await import('/index.js');
  const { textModel } = await import('/generate.js');
  const { logMel } = await import('/audio.js');
  const { Tokenizer } = await import('/node_modules/@huggingface/tokenizers/dist/tokenizers.min.mjs');
  const json = async (name) => (await fetch('/models/whisper/' + name)).json();
  const [tokens, config] = [await json('tokenizer.json'), await json('tokenizer_config.json')];
  const { decoder_start_token_id, no_timestamps_token_id, eos_token_id } = await json('generation_config.json');
  const load = (name) => Session.load('/models/whisper/onnx/' + name + '.onnx', { threads: 1 });
  const [encoder, decoder] = [await load('encoder_model'), await load('decoder_model_merged')];
  const writer = textModel(
    { encoder, decoder },
    { tokenizer: new Tokenizer(tokens, config), start: [decoder_start_token_id, no_timestamps_token_id], eos: eos_token_id },
  );
  const samples = new Float32Array(480000);
  samples.set(await ${samples});
  return await (${twice})(async () => {
    const { data, shape: [mels, frames] } = logMel(samples, { size: 400, hop: 160, mels: 80 });
    const features = new Float32Array(mels * (frames - 1));
    for (let i = 0; i < mels; i++) features.set(data.subarray(i * frames, (i + 1) * frames - 1), i * (frames - 1));
    const least = features.reduce((most, value) => Math.max(most, value)) - 8;
    const input_features = {
      type: 'float32',
      data: features.map((value) => (Math.max(value, least) + 4) / 4),
      shape: [1, mels, frames - 1],
    };
    return (await writer.generate({ input_features }, { maxTokens: 100 })).text;
  });
})()`;

const theirs = `(async () => {
  const { env, pipeline } = await import('/node_modules/@huggingface/transformers/dist/transformers.web.min.js');
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/models/' });
  Object.assign(env.backends.onnx.wasm, { numThreads: 1, wasmPaths: '/node_modules/onnxruntime-web/dist/' });
  const options = { dtype: 'fp32', device: 'wasm' };
  const transcribe = await pipeline('automatic-speech-recognition', 'whisper', options);
  const samples = await ${samples};
  return await (${twice})(async () => (await transcribe(samples)).text);
})()`;

const chromium = browsers.filter(({ name }) => name === 'Chromium');
const why = [
  folder === undefined && ' (skipped: NM_WHISPER names no folder that models/whisper/convert.py wrote)',
  !existsSync(sound) && ' (skipped: NM_MODELS names no folder with media/jfk.wav beside it)',
].find(Boolean);

async function hearsTheSame(driver: Driver): Promise<void> {
  const told: Record<string, { text: string; milliseconds: number[] }> = {};
  const address = (runtime: string) => `http://localhost:${port()}/${runtime}.html`;
  await driver.open(address('Neuromancer'));
  told['neuromancer/generate'] = await driver.evaluate(ours);
  for (const runtime of Object.keys(runtimes)) {
    await driver.open(address(runtime));
    told[`transformers.js on ${runtime}`] = await driver.evaluate(theirs);
  }
  for (const [what, { text, milliseconds }] of Object.entries(told)) {
    console.log(`${what}: ${milliseconds.map((time) => time.toFixed(0)).join(', then ')} ms: ${text}`);
  }
  const texts = Object.values(told).map(({ text }) => text);
  expect(new Set(texts).size).toBe(1);
  expect(texts[0]).toContain('ask not what your country can do for you');
}

inEachBrowser(chromium, 'hears the same through transformers.js', hearsTheSame, why || '', 300_000);
