import { asNeuromancerError, NeuromancerError, untilAborted } from '../api/errors.js';
import { fetchUrl, isAddress, readSource, resolveUrl, type Source } from '../download/fetch.js';
import { isModule, isNode } from '../host/host.js';
import type { CompiledModule } from '../host/host-types.js';
import { ownFiles } from '../host/own-files.js';
import { detectFeatures, type Features } from './features.js';
import { decodeText } from './text.js';

/** The builds of the engine: fixed or relaxed SIMD, one thread or several; wasm64 has all that and 16 GiB of memory. */
export type Artefact = 'wasm' | 'wasm-relaxed' | 'wasm-threads' | 'wasm-relaxed-threads' | 'wasm64';

export interface EngineOptions {
  /** Which build to run; by default the fastest one that this host supports and the model fits into. */
  artefact?: Artefact;
  /** Where the .wasm comes from when not from beside this package: a compiled Module, a URL, bytes or a Response. */
  wasm?: CompiledModule | Source;
  /** Threads in all, the session's own included. By default as many as there are processors, 4 at most. */
  threads?: number;
}

const artefacts: readonly Artefact[] = ['wasm', 'wasm-relaxed', 'wasm-threads', 'wasm-relaxed-threads', 'wasm64'];

/** Larger models get addresses of 64 bits: those of 32 reach 4 GiB, in which what a run needs has to lie, too. */
export const mostBytes32 = 3.5e9;

/** Whether it imports a shared memory; it runs alone where nothing can be shared. */
export function isThreaded(artefact: Artefact): boolean {
  return /threads|64/.test(artefact);
}

export function canHave64({ memory64, relaxedSimd }: Features): boolean {
  return memory64 && relaxedSimd;
}

/** `modelBytes` is 0 as long as nobody knows. */
export function chooseArtefact(features: Features, threads: number, modelBytes = 0): Artefact {
  if (modelBytes > mostBytes32) return 'wasm64';
  const simd = features.relaxedSimd ? 'wasm-relaxed' : 'wasm';
  return threads > 1 && features.sharedMemory ? `${simd}-threads` : simd;
}

/** The engine for a model of so many bytes. @internal */
export type EngineFor = (modelBytes: number) => Promise<WebAssembly.Module>;

/**
 * The engine that the options ask for is on its way at once; who finds that the model is too large for it asks again.
 * @internal
 */
export function engineFor(options: EngineOptions, threads: number, signal?: AbortSignal): EngineFor {
  const first = loadModule(options, threads, signal);
  const { only } = ownFiles();
  const fixed = options.wasm !== undefined || options.artefact !== undefined || only !== undefined;
  return (modelBytes) =>
    fixed || modelBytes <= mostBytes32 ? first : loadModule(options, threads, signal, modelBytes);
}

/** The compiled engine that the options and this host ask for. @internal */
export async function loadModule(
  options: EngineOptions,
  threads: number,
  signal?: AbortSignal,
  modelBytes = 0,
): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== 'object') {
    throw new NeuromancerError('engine_unavailable', 'This host has no WebAssembly, which Neuromancer is made of.');
  }
  const { wasm } = options;
  if (isModule(wasm)) return wasm;
  if (wasm !== undefined && !isAddress(wasm)) {
    return compile(await readSource('the engine', wasm as Source, { signal }), 'the given bytes');
  }
  if (wasm !== undefined) return moduleAt(resolveUrl('the engine', wasm), signal);
  const features = detectFeatures();
  if (!features.simd) {
    throw new NeuromancerError(
      'engine_unavailable',
      'This host has no WebAssembly SIMD, which the artefacts need (Chrome 91, Firefox 89, Safari 16.4, Node 16.4 or ' +
        "later); give a build without it as 'wasm': './dev build --ops-of MODEL... --preset wasm-scalar' makes one.",
    );
  }
  const artefact = checkedArtefact(options, features, threads, modelBytes);
  const { only, engine } = ownFiles();
  if (only !== undefined && options.artefact !== undefined && options.artefact !== only) {
    throw new NeuromancerError(
      'invalid_argument',
      `This entry of the package has only the artefact "${only}" inside, not "${artefact}"; import "neuromancer" for the others.`,
    );
  }
  const own = await engine(only ?? artefact);
  return isModule(own) ? own : moduleAt(own, signal);
}

/** An engine on its way or here, shared by all sessions. */
interface Shared {
  readonly module: Promise<WebAssembly.Module>;
  readonly download: AbortController;
  /** Loads that wait for it. */
  waiting: number;
  compiled: WebAssembly.Module | undefined;
}

const shared = new Map<string, Shared>();

/** A failure is forgotten, and so is a download that nobody waits for any more: the next load tries again. */
async function moduleAt(url: URL, signal: AbortSignal | undefined): Promise<WebAssembly.Module> {
  const { href } = url;
  const entry = shared.get(href) ?? begin(url);
  const forget = () => {
    if (shared.get(href) === entry) shared.delete(href);
  };
  entry.waiting += 1;
  try {
    return await untilAborted(signal, entry.module);
  } catch (error) {
    if (!signal?.aborted) forget();
    throw error;
  } finally {
    entry.waiting -= 1;
    if (entry.waiting === 0 && entry.compiled === undefined) {
      forget();
      entry.download.abort();
    }
  }
}

function begin(url: URL): Shared {
  const download = new AbortController();
  const entry: Shared = {
    module: fetchModule(url, download.signal).then((module) => {
      entry.compiled = module;
      return module;
    }),
    download,
    waiting: 0,
    compiled: undefined,
  };
  entry.module.catch(() => {});
  shared.set(url.href, entry);
  return entry;
}

/** The module was no engine of ours, whatever its address promised: the next load asks for it afresh. @internal */
export function forgetModule(module: WebAssembly.Module): void {
  for (const [href, { compiled }] of shared) {
    if (compiled === module) shared.delete(href);
  }
}

function checkedArtefact(options: EngineOptions, features: Features, threads: number, modelBytes: number): Artefact {
  const artefact = options.artefact ?? chooseArtefact(features, threads, modelBytes);
  if (!artefacts.includes(artefact)) {
    throw new NeuromancerError(
      'invalid_argument',
      `There is no artefact "${artefact}"; the artefacts are ${artefacts.join(', ')}.`,
    );
  }
  if (artefact === 'wasm64' && !canHave64(features)) {
    const why = modelBytes > 0 ? `The model has ${(modelBytes / 1e9).toFixed(1)} GB. ` : '';
    throw new NeuromancerError(
      'engine_unavailable',
      `${why}This host has no WebAssembly memory of more than 4 GiB, which "wasm64" needs (Chrome 133, Firefox 145, Node 24 or ` +
        'later); use a smaller model.',
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
  return artefact;
}

/** Every failure names the address and says what to do. */
async function fetchModule(url: URL, signal: AbortSignal): Promise<WebAssembly.Module> {
  try {
    return await fetchAndCompile(url, signal);
  } catch (error) {
    if (error instanceof NeuromancerError && error.code === 'engine_unavailable') throw error;
    const { message } = asNeuromancerError(error, 'engine_unavailable', `Loading the engine from ${url.href} failed`);
    throw new NeuromancerError('engine_unavailable', `${message.replace(/\.?$/, '.')} ${servingAdvice}`, {}, error);
  }
}

async function fetchAndCompile(url: URL, signal: AbortSignal): Promise<WebAssembly.Module> {
  if (url.protocol === 'file:' && isNode) return compile(await readSource('the engine', url, { signal }), url.href);
  const response = await fetchUrl('the engine', url, signal);
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
  'Copy the .wasm files of neuromancer/dist beside the script that loads them, name the file with the option "wasm", or ' +
  'import "neuromancer/single", which has the engine inside.';

async function compile(bytes: Uint8Array, from: string): Promise<WebAssembly.Module> {
  if (bytes[0] !== 0x00 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d) {
    const start = JSON.stringify(decodeText(bytes.subarray(0, 16)));
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
