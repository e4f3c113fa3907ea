// Runs in the page: a language model reads a prompt and writes on, in each engine behind the same calls.
import { memoryBytes } from './page-memory.mjs';

const download = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
const int64 = (values) => BigInt64Array.from(values, BigInt);

/** What a run of `ids` behind `past` positions is given beside the cache. */
function inputsOf(names, ids, past) {
  const lists = {
    input_ids: ids,
    attention_mask: Array(past + ids.length).fill(1),
    position_ids: ids.map((_, i) => past + i),
  };
  return Object.entries(lists).filter(([name]) => names.includes(name));
}

/** A conversation reads tokens and returns the logits behind the last one. */
async function neuromancer(file, { threads, worker, cache }) {
  const { Session } = await import('/web/dist/index.js');
  const { stream } = await import('/web/dist/stream.js');
  const bytes = await download(file);
  const start = performance.now();
  const session = await Session.load(bytes, { threads, worker });
  const load = performance.now() - start;
  const names = session.inputs.map(({ name }) => name);
  return {
    load,
    begin(past) {
      const state = stream(session, { dimensions: { past_sequence_length: past }, cache });
      return {
        async read(ids) {
          const lists = inputsOf(names, ids, state.length);
          const feeds = lists.map(([name, list]) => [
            name,
            { type: 'int64', data: int64(list), shape: [1, list.length] },
          ]);
          const { logits } = await state.run(Object.fromEntries(feeds));
          return lastRow(logits.data, logits.shape);
        },
        end: () => state.dispose(),
      };
    },
  };
}

async function onnxruntimeWeb(file, { threads }) {
  const ort = await import('/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs');
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  ort.env.logLevel = 'error';
  const bytes = await download(file);
  const start = performance.now();
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const load = performance.now() - start;
  const caches = session.inputMetadata.filter(({ name }) => name.startsWith('past_key_values.'));
  return {
    load,
    begin(past) {
      let length = past;
      let state = caches.map(({ name, shape }) => {
        const dims = [1, shape[1], past, shape[3]];
        return [name, new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims)];
      });
      return {
        async read(ids) {
          const lists = inputsOf(session.inputNames, ids, length);
          const feeds = lists.map(([name, list]) => [name, new ort.Tensor('int64', int64(list), [1, list.length])]);
          const outputs = await session.run(Object.fromEntries([...feeds, ...state]));
          state = state.map(([name]) => [name, outputs[name.replace('past_key_values', 'present')]]);
          length += ids.length;
          return lastRow(outputs.logits.data, outputs.logits.dims);
        },
        end: () => {},
      };
    },
  };
}

const lastRow = (data, shape) => data.subarray(data.length - shape[2]);

const numbered = (count) => Array.from({ length: count }, (_, i) => (i * 37 + 97) % 250);

function likeliest(logits) {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

async function measureOnnx(open, { file, threads, worker, cache, prompt, tokens, pasts, keepLogits }) {
  const model = await open(file, { threads, worker, cache });
  const found = { load: model.load, prefill: [], steps: {} };
  let logits;
  // The first time engines compile in tiers, and plan.
  for (let i = 0; i < 3; i++) {
    const text = model.begin(0);
    const start = performance.now();
    logits = await text.read(numbered(prompt));
    found.prefill.push(performance.now() - start);
    text.end();
  }
  if (keepLogits) found.logits = Array.from(logits);
  for (const past of pasts) {
    const text = model.begin(past);
    const times = [];
    for (let i = 0, id = 97; i < tokens; i++) {
      const start = performance.now();
      id = likeliest(await text.read([id]));
      times.push(performance.now() - start);
    }
    found.steps[past] = times.slice(4); // the first makes room and plans, the next compile
    text.end();
  }
  return { ...found, memory: worker ? undefined : memoryBytes() };
}

/** llama.cpp: texts of letters, each of which is a token, and its own times. It always runs in a worker. */
async function measureWllama({ file, threads, prompt, tokens, words }) {
  const { Wllama } = await import('/node_modules/@wllama/wllama/esm/index.js');
  const blob = await (await fetch(file)).blob();
  const start = performance.now();
  const model = new Wllama(
    { default: '/node_modules/@wllama/wllama/esm/wasm/wllama.wasm' },
    { suppressNativeLog: true },
  );
  await model.loadModel([blob], { n_threads: threads, n_ctx: 512, n_gpu_layers: 0, warmup: false });
  const load = performance.now() - start;
  const text = (n) => String.fromCharCode(...Array.from({ length: prompt }, (_, i) => 97 + ((n + i * 7) % 25)));
  const write = async (n, most) => {
    let timings;
    const chunks = await model.createCompletion({
      prompt: text(n),
      max_tokens: most,
      temperature: 0,
      cache_prompt: false,
      stream: true,
      timings_per_token: true,
      logit_bias: { [words - 1]: -100 },
    });
    for await (const chunk of chunks) timings = chunk.timings ?? timings;
    return timings;
  };
  const prefill = [];
  for (let i = 0; i < 2; i++) prefill.push((await write(i, 1)).prompt_ms);
  const { predicted_ms, predicted_n } = await write(9, tokens);
  return { load, prefill, steps: { [prompt]: [predicted_ms / predicted_n] } };
}

const engines = {
  neuromancer: (setting) => measureOnnx(neuromancer, setting),
  'onnxruntime-web': (setting) => measureOnnx(onnxruntimeWeb, setting),
  wllama: measureWllama,
};

window.measure = (setting) => engines[setting.engine](setting);
