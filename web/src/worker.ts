// The script of a session's worker: answers the calls of a RemoteBackend with a LocalBackend. Started by such a worker,
// the same script is one of its threads, so that there is no second file which a bundler might leave behind.

import type { CustomNode } from './api/custom.js';
import type { Profile, ValueInfo } from './api/description.js';
import { asNeuromancerError, isFatal, NeuromancerError } from './api/errors.js';
import type { RunOptions } from './engine/backend.js';
import type { Reference } from './engine/held.js';
import { mostBytes32 } from './engine/loader.js';
import { LocalBackend } from './engine/local.js';
import { becomeThread, isThreadStart } from './engine/thread-role.js';
import { startThreads, useThreadScript } from './engine/threads.js';
import { isNode } from './host/host.js';
import { parentPort, type WorkerScript } from './host/host-worker.js';
import { useFiles } from './host/own-files.js';
import { State, type StateRecord } from './stream/state.js';
import type { Tensor, TensorLike } from './values/tensor.js';
import { isKept, type KeptRecord, mapTensors, revived, type Value } from './values/values.js';
import { outputNumbers } from './workers/kept-numbers.js';
import type { Call, CallName, Calls, ComputeCall, Request } from './workers/protocol.js';

type Computed = Extract<Request, { call: 'computed' }>;

const parent = parentPort();
const running = new Map<number, AbortController>();
/** Runs that wait for the page to compute a custom operator. */
const computing = new Map<number, (computed: Computed) => void>();
let backend: LocalBackend | undefined;
/** The run that goes on. */
let current = 0;
/** Tensors and states of streams that the page has handles of. */
const kept = new Map<number, Tensor | State>();
/** The last handle of a state: a half, which no tensor's is, for those are addresses. */
let lastState = 0.5;

let giveModule: (module: WebAssembly.Module) => void = () => {};
/** The engine that the page gives next. */
function nextModule(): Promise<WebAssembly.Module> {
  return new Promise((resolve) => {
    giveModule = resolve;
  });
}
const first = nextModule();

const { location } = globalThis as unknown as { location: { href: string } };

const ownScript: WorkerScript = {
  start: () => new Worker(location.href, { type: isModuleScript() ? 'module' : 'classic' }),
  url: () => new URL(isNode ? import.meta.url : location.href),
};

useThreadScript(ownScript);
useFiles({
  engine: () => {
    throw new Error('the engine comes from the page');
  },
  startThreads,
});

/** A bundler may have made a classic script of this one: a module refuses importScripts before it looks at the address. */
function isModuleScript(): boolean {
  try {
    (globalThis as unknown as { importScripts(url: string): void }).importScripts('http://');
  } catch (error) {
    return error instanceof TypeError;
  }
  return false;
}

parent.onMessage((message) => {
  if (isThreadStart(message)) {
    becomeThread(message, parent);
    return;
  }
  const request = message as Request;
  if (request.call === 'engine') giveModule(request.module);
  else if (request.call === 'computed') computing.get(request.id)?.(request);
  else if (request.call === 'abort') running.get(request.id)?.abort();
  else if (request.call === 'drop') request.kept.forEach(drop);
  else void answer(request);
});

function drop(handle: number): void {
  kept.get(handle)?.dispose();
  kept.delete(handle);
}

/** A kept tensor of the page's; the page has seen to it that it is one of this worker. */
function keptTensor(handle: number): Tensor {
  return kept.get(handle) as Tensor;
}

function keptState(handle: number): State {
  return kept.get(handle) as State;
}

async function answer(request: Call): Promise<void> {
  const { id } = request;
  try {
    const { returned, transfer } = await perform(request);
    parent.postMessage({ id, returned }, transfer);
  } catch (error) {
    const failed = asNeuromancerError(error, 'internal', "The session's worker failed").toRecord();
    parent.postMessage({ id, failed, fatal: isFatal(error) });
  }
}

interface Answer {
  returned: Calls[CallName]['returns'];
  transfer?: Transferable[];
}

async function perform(request: Call): Promise<Answer> {
  if (request.call === 'load') return load(request.id, request.given);
  if (backend === undefined) throw new Error(`"${request.call}" came before the model was loaded`);
  if (request.call === 'run') return run(backend, request.id, request.given);
  if (request.call === 'keep') {
    const { part } = request.given;
    const tensor = revived(request.given.tensor, ({ kept: handle }) => keptTensor(handle)) as Tensor;
    return { returned: handOut(await backend.keep(tensor, part), backend) };
  }
  if (request.call === 'partsOf') {
    const { state, length } = request.given;
    const session = backend;
    const parts = await session.partsOf(keptState(state), length);
    return { returned: parts.map((part) => handOut(part, session)) };
  }
  if (request.call === 'read') return read(request.given);
  return { returned: request.call === 'steps' ? await backend.steps() : await backend.memory() };
}

async function load(id: number, given: Calls['load']['given']): Promise<Answer> {
  const { source, externalData, operators, wantsProgress, ...rest } = given;
  const progress = wantsProgress ? { onProgress: (progress: object) => parent.postMessage({ id, progress }) } : {};
  const options = { ...rest, externalData: Object.fromEntries(externalData), ...progress };
  const custom = operators && { declarations: operators, compute: computeInPage };
  const engineFor = (modelBytes: number) => {
    if (modelBytes <= mostBytes32) return first;
    const other = nextModule();
    parent.postMessage({ id, modelBytes });
    return other;
  };
  backend = await LocalBackend.load(source, options, custom, engineFor);
  const { description, engine, cancelFlag } = backend;
  return { returned: { description, engine: { ...engine, worker: true }, cancelFlag } };
}

/** The page's custom operator, in the run that goes on. */
async function computeInPage(node: CustomNode, inputs: readonly Value[]): Promise<readonly Value[]> {
  const id = current;
  const { attributes, ...rest } = node;
  const transfer: Transferable[] = [];
  const record = ({ type, data, shape }: Tensor): TensorLike => {
    if (ArrayBuffer.isView(data)) transfer.push(data.buffer as ArrayBuffer);
    return { type, data, shape };
  };
  // The node's attributes stay here.
  const cloned = ({ type, data, shape }: Tensor): TensorLike => ({ type, data, shape });
  const compute: ComputeCall = {
    node: rest,
    attributes: Object.entries(attributes).map(([name, value]) => [name, mapTensors(value as Value, cloned)]),
    inputs: inputs.map((value) => mapTensors(value, record)),
  };
  const computed = await new Promise<Computed>((resolve) => {
    computing.set(id, resolve);
    parent.postMessage({ id, compute }, transfer);
  });
  if ('failed' in computed) throw NeuromancerError.fromRecord(computed.failed);
  return computed.outputs.map((value) => revived(value, ({ kept: handle }) => keptTensor(handle)));
}

/** A kept tensor for the page, which from now on has it until it is dropped. */
function handOut(tensor: Tensor, session: LocalBackend): KeptRecord {
  const { type, shape, reference } = tensor;
  const handle = (reference as Reference).handleIn(session.home);
  kept.set(handle, tensor);
  return { type, shape, kept: handle };
}

function handOutState(state: State): StateRecord {
  lastState += 1;
  kept.set(lastState, state);
  return { kept: lastState, length: state.length };
}

/** Through a second tensor, so that this one has no copy of its elements. */
function read(handle: number): Answer {
  const once = keptTensor(handle).copy();
  const returned = once.data;
  once.dispose();
  return { returned, transfer: ArrayBuffer.isView(returned) ? [returned.buffer as ArrayBuffer] : [] };
}

async function run(session: LocalBackend, id: number, given: Calls['run']['given']): Promise<Answer> {
  const { inputs, outputs: declared } = session.description;
  const feeds = new Map(
    given.feeds.map(([name, value]) => [name, revived(value, ({ kept: handle }) => keptTensor(handle))]),
  );
  for (let i = 0; i < given.kept.length; i += 2) {
    const [input, handle] = given.kept.slice(i, i + 2) as [number, number];
    feeds.set((inputs[input] as ValueInfo).name, keptTensor(handle));
  }
  const options: RunOptions = given.fetch === undefined ? {} : { fetch: given.fetch };
  options.keep = given.keep;
  if (given.cache !== undefined) options.cache = given.cache;
  let times: Profile | undefined;
  if (given.wantsProfile) {
    options.profile = (profile) => {
      times = profile;
    };
  }
  if (given.abortable) {
    const controller = new AbortController();
    running.set(id, controller);
    options.signal = controller.signal;
  }
  current = id;
  try {
    const buffers: ArrayBuffer[] = [];
    const record = (tensor: Tensor): TensorLike | KeptRecord => {
      if (tensor.reference !== undefined) return handOut(tensor, session);
      const { type, data, shape } = tensor;
      if (ArrayBuffer.isView(data)) buffers.push(data.buffer as ArrayBuffer);
      return { type, data, shape };
    };
    const from = given.state;
    const state = typeof from === 'number' ? keptState(from) : from && new State(from);
    const ran = await session.run(session.take(feeds, true, false, state), options, state);
    const values = new Map(Object.entries(ran.outputs));
    const outputs: [string, unknown][] = [];
    const numbers: number[] = [];
    declared.forEach(({ name }, index) => {
      const value = values.get(name);
      if (isKept(value)) numbers.push(...outputNumbers(index, handOut(value, session)));
      else if (values.has(name)) outputs.push([name, mapTensors(value, record)]);
    });
    const returned = { outputs, kept: numbers, state: ran.state && handOutState(ran.state) };
    return { returned: times === undefined ? returned : { ...returned, profile: times }, transfer: buffers };
  } finally {
    running.delete(id);
    computing.delete(id);
  }
}
