import { asNeuromancerError, NeuromancerError } from './errors.js';
import { detectFeatures, type Features } from './features.js';
import { fetchUrl, readSource, resolveUrl, type Source } from './fetch.js';
import { isNode } from './host.js';

/** The builds of the engine: fixed or relaxed SIMD, one thread or several. */
export type Artefact = 'wasm' | 'wasm-relaxed' | 'wasm-threads' | 'wasm-relaxed-threads';

export interface EngineOptions {
  /** Which build to run; by default the fastest one that this host supports. */
  artefact?: Artefact;
  /** Where the .wasm comes from when not from beside this package: a compiled Module, a URL, bytes or a Response. */
  wasm?: WebAssembly.Module | Source;
  /** Threads in all, the session's own included. By default as many as there are processors, 4 at most. */
  threads?: number;
}

// Literal URLs: bundlers find the files by them, copy them, and put the final address here.
const urls: Record<Artefact, () => URL> = {
  wasm: () => new URL('./neuromancer-wasm.wasm', import.meta.url),
  'wasm-relaxed': () => new URL('./neuromancer-wasm-relaxed.wasm', import.meta.url),
  'wasm-threads': () => new URL('./neuromancer-wasm-threads.wasm', import.meta.url),
  'wasm-relaxed-threads': () => new URL('./neuromancer-wasm-relaxed-threads.wasm', import.meta.url),
};

/** Compiled modules by URL, shared by all sessions. A failure is forgotten, so that the next load tries again. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

export function chooseArtefact(features: Features, threads: number): Artefact {
  const simd = features.relaxedSimd ? 'wasm-relaxed' : 'wasm';
  return threads > 1 && features.sharedMemory ? `${simd}-threads` : simd;
}

/** The compiled engine that the options and this host ask for. */
export async function loadModule(options: EngineOptions, threads: number): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== 'object') {
    throw new NeuromancerError('engine_unavailable', 'This host has no WebAssembly, which Neuromancer is made of.');
  }
  if (options.wasm instanceof WebAssembly.Module) return options.wasm;
  const features = detectFeatures();
  if (!features.simd) {
    throw new NeuromancerError(
      'engine_unavailable',
      'This host has no WebAssembly SIMD; Neuromancer needs it (Chrome 91, Firefox 89, Safari 16.4, Node 16.4 or later).',
    );
  }
  const { wasm } = options;
  if (wasm !== undefined && typeof wasm !== 'string' && !(wasm instanceof URL)) {
    return compile(await readSource('the engine', wasm), 'the given bytes');
  }
  const url = wasm === undefined ? artefactUrl(options, features, threads) : resolveUrl('the engine', wasm);
  let module = compiled.get(url.href);
  if (module === undefined) {
    module = fetchModule(url);
    compiled.set(url.href, module);
    module.catch(() => compiled.delete(url.href));
  }
  return module;
}

function artefactUrl(options: EngineOptions, features: Features, threads: number): URL {
  const artefact = options.artefact ?? chooseArtefact(features, threads);
  if (!Object.hasOwn(urls, artefact)) {
    throw new NeuromancerError(
      'invalid_argument',
      `There is no artefact "${artefact}"; the artefacts are ${Object.keys(urls).join(', ')}.`,
    );
  }
  if (artefact.includes('relaxed') && !features.relaxedSimd) {
    throw new NeuromancerError(
      'engine_unavailable',
      `This host has no relaxed SIMD, which "${artefact}" needs; use "wasm".`,
    );
  }
  if (artefact.includes('threads') && !features.sharedMemory) {
    throw new NeuromancerError(
      'engine_unavailable',
      `"${artefact}" needs shared memory, which a page has only when it is cross-origin isolated: serve it with ` +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or use one thread.',
    );
  }
  return urls[artefact]();
}

async function fetchModule(url: URL): Promise<WebAssembly.Module> {
  if (url.protocol === 'file:' && isNode) return compile(await readSource('the engine', url), url.href);
  const response = await fetchUrl('the engine', url).catch((error: unknown) => {
    const { message } = asNeuromancerError(error, 'engine_unavailable', 'Loading the engine failed');
    throw new NeuromancerError('engine_unavailable', `${message} ${servingAdvice}`, {}, error);
  });
  // Streaming compilation refuses any other content type; some hosts have no streaming at all.
  const type = response.headers.get('content-type') ?? '';
  if (typeof WebAssembly.compileStreaming === 'function' && type.startsWith('application/wasm')) {
    const copy = response.clone();
    try {
      return await WebAssembly.compileStreaming(response);
    } catch {
      return compile(new Uint8Array(await copy.arrayBuffer()), url.href);
    }
  }
  return compile(new Uint8Array(await response.arrayBuffer()), url.href);
}

const servingAdvice =
  'Copy the .wasm files of neuromancer/dist beside the script that loads them, or name the file with the option "wasm".';

async function compile(bytes: Uint8Array, from: string): Promise<WebAssembly.Module> {
  if (bytes[0] !== 0x00 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d) {
    const start = JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 16)));
    throw new NeuromancerError(
      'engine_unavailable',
      `The engine from ${from} is not WebAssembly (it begins with ${start}): the server probably sent a page in its place. ${servingAdvice}`,
    );
  }
  try {
    return await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  } catch (error) {
    throw new NeuromancerError(
      'engine_unavailable',
      `The engine from ${from} could not be compiled: ${(error as Error).message}. Where a host forbids compiling ` +
        '(Cloudflare Workers), import the .wasm as a module and pass it as the option "wasm"; a page whose ' +
        "Content-Security-Policy restricts scripts needs 'wasm-unsafe-eval'.",
      {},
      error,
    );
  }
}
