// Runs in the page: each engine behind the same four calls, so that the measurement cannot favour one.
import { litert } from './litert.mjs';
import { elements } from './models.mjs';
import { memoryBytes } from './page-memory.mjs';
import { tfjsWasm } from './tfjs.mjs';

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: globalThis.Float16Array ?? Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

function decode(type, base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new arrays[type](bytes.buffer);
}

function tensors(feeds) {
  return Object.entries(feeds).map(([name, feed]) => {
    const { type, dims, base64, strings } = feed;
    if (strings) return { name, type, dims, data: strings };
    return { name, type, dims, data: base64 === undefined ? elements(feed) : decode(type, base64) };
  });
}

async function neuromancer({ threads, artefact }) {
  const { Session, Tensor } = await import('/web/dist/index.js');
  return {
    async load(bytes, external) {
      const externalData = Object.fromEntries(external.map(({ path, data }) => [path, data]));
      const session = await Session.load(bytes, { threads, externalData, ...(artefact && { artefact }) });
      return { session, label: session.engine.artefact };
    },
    prepare: (inputs) =>
      Object.fromEntries(inputs.map(({ name, type, dims, data }) => [name, new Tensor(type, data, dims)])),
    run: ({ session }, feeds) => session.run(feeds),
    outputs: (results) =>
      Object.values(results)
        .filter((value) => value instanceof Tensor)
        .map((tensor) => ({
          data: tensor.type === 'float16' ? tensor.toFloat32() : tensor.data,
          dims: tensor.shape,
        })),
  };
}

async function onnxruntimeWeb({ threads }) {
  const ort = await import('/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs');
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  ort.env.logLevel = 'error';
  return {
    async load(bytes, externalData) {
      const options = { executionProviders: ['wasm'], ...(externalData.length > 0 && { externalData }) };
      return { session: await ort.InferenceSession.create(bytes, options), label: 'wasm' };
    },
    prepare: (inputs) =>
      Object.fromEntries(inputs.map(({ name, type, dims, data }) => [name, new ort.Tensor(type, data, dims)])),
    run: ({ session }, feeds) => session.run(feeds),
    outputs: (results) => Object.values(results).map(({ data, dims }) => ({ data, dims: [...dims] })),
  };
}

const engines = { neuromancer, 'onnxruntime-web': onnxruntimeWeb, 'tfjs-wasm': tfjsWasm, litert };

// One engine, one model, in a fresh page: load, first run, then as many runs as fit the budget.
window.measure = async ({ engine, model, external, feeds, threads, artefact, runs, budgetMs, keepOutputs }) => {
  const download = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
  const bytes = await download(model);
  const weights = await Promise.all(external.map(async (path) => ({ path, data: await download(`${model}/${path}`) })));
  const start = performance.now();
  const api = await engines[engine]({ threads, artefact });
  const loaded = await api.load(bytes, weights);
  const load = performance.now() - start;
  const inputs = tensors(feeds);
  const prepared = api.prepare(inputs);
  const firstFrom = performance.now();
  const results = await api.run(loaded, prepared);
  const first = performance.now() - firstFrom;
  const outputs = keepOutputs
    ? api.outputs(results).map(({ data, dims }) => ({
        dims: dims.map(Number),
        data: Array.from(data, (v) => (typeof v === 'string' ? v : Number(v))),
      }))
    : undefined;
  // Engines compile in tiers while they run, in threads that take the cores from short runs for half a second: what is
  // measured is the state after warm-up.
  const warmUntil = performance.now() + budgetMs / 2;
  for (let i = 0; i < 3 || performance.now() < warmUntil; i++) await api.run(loaded, prepared);
  const times = [];
  const until = performance.now() + budgetMs;
  while (times.length < 3 || (times.length < runs && performance.now() < until)) {
    const from = performance.now();
    await api.run(loaded, prepared);
    times.push(performance.now() - from);
  }
  return { load, first, times, memory: memoryBytes(), outputs, label: loaded.label };
};
