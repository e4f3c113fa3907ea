// What is started: the same digit on this engine, from the ONNX file, packed and from a bundle, and on onnxruntime-web.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const ours = (entry) => import(new URL(`../../web/dist/${entry}.js`, import.meta.url).href);

export const files = {
  model: at('models/handwriting/handwriting.onnx'),
  engine: at('web/dist/neuromancer-wasm.wasm'),
  packed: at('build/start/digits.nm'),
  bundle: at('build/start/digits.wasm'),
  /** `./dev build component` makes it. */
  reduced: at('build/reduced-wasm/neuromancer.wasm'),
  reducedBundle: at('build/start/digits-reduced.wasm'),
};

const dims = [1, 1, 28, 28];
const image = () => ({ type: 'float32', data: Float32Array.from({ length: 784 }, (_, i) => (i % 28) / 28), dims });
const compile = (path) => WebAssembly.compile(readFileSync(path));
const run = async (session) => (await session.run({ image: image() })).probabilities.data;

async function loading(model, options = {}) {
  const { Session } = await ours('index');
  return {
    wasm: files.engine,
    compile: () => compile(files.engine),
    open: (wasm) => Session.load(readFileSync(model), { wasm, threads: 1, ...options }),
    run,
  };
}

async function bundled(file) {
  const { Session } = await ours('bundled');
  return { wasm: file, compile: () => compile(file), open: (wasm) => Session.fromBundle(wasm), run };
}

/** Each is imported in a process that has no other. `open` takes what `compile` gives; `wasm` is what is compiled. */
export const subjects = {
  'Session.load': () => loading(files.model),
  'Session.load, packed': () => loading(files.packed),
  'the same, shared': () => loading(files.packed, { shared: true }),
  'Session.fromBundle': () => bundled(files.bundle),
  ...(existsSync(files.reduced) && { 'the same, reduced': () => bundled(files.reducedBundle) }),
  /** Compiles by itself, once for the process, inside its first `create`. */
  async 'onnxruntime-web'() {
    const { InferenceSession, Tensor, env } = await import('onnxruntime-web');
    env.wasm.numThreads = 1;
    const require = createRequire(import.meta.url);
    return {
      wasm: require.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'),
      compile: undefined,
      open: () => InferenceSession.create(readFileSync(files.model)),
      async run(session) {
        const { type, data } = image();
        return (await session.run({ image: new Tensor(type, data, dims) })).probabilities.data;
      },
    };
  },
};
