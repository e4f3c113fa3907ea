// A Node handler around one model on one engine, with one thread: the elements of the input in, the output's first ones out.
//   node handler.mjs ENGINE MODEL.onnx
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { models } from '../peers/models.mjs';
import { serve } from './serve.mjs';

const [engine, path] = process.argv.slice(2);
const inputs = Object.entries(models[basename(path, '.onnx')]);
const arrays = { float32: Float32Array, int64: BigInt64Array };

async function onnxruntime(name, options) {
  const ort = createRequire(new URL('../peers/package.json', import.meta.url))(name);
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(path), options);
  return (feeds) =>
    session.run(
      Object.fromEntries(
        Object.entries(feeds).map(([input, { type, data, dims }]) => [input, new ort.Tensor(type, data, dims)]),
      ),
    );
}

const engines = {
  async neuromancer() {
    const { Session } = await import('../../web/dist/index.js');
    const session = await Session.load(readFileSync(path), { threads: 1 });
    return (feeds) => session.run(feeds);
  },
  'onnxruntime-web': () => onnxruntime('onnxruntime-web', {}),
  'onnxruntime-node': () => onnxruntime('onnxruntime-node', { intraOpNumThreads: 1, interOpNumThreads: 1 }),
};

const run = await engines[engine]();
serve(async (_, bytes) => {
  let at = 0;
  const feeds = {};
  for (const [name, { type, dims }] of inputs) {
    const length = dims.reduce((a, b) => a * b, 1) * arrays[type].BYTES_PER_ELEMENT;
    feeds[name] = { type, dims, data: new arrays[type](bytes.slice(at, at + length).buffer) };
    at += length;
  }
  const [output] = Object.values(await run(feeds));
  return Array.from(output.data.subarray(0, 4));
});
