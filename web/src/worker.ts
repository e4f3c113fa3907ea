// The script of a session's worker: answers the calls of a RemoteBackend with a LocalBackend.
import type { RunOptions } from './backend.js';
import type { Profile } from './description.js';
import { asNeuromancerError } from './errors.js';
import { parentPort } from './host-worker.js';
import { LocalBackend } from './local.js';
import type { CallName, Calls, Request } from './protocol.js';
import type { Tensor, TensorLike } from './tensor.js';
import { mapTensors, revived } from './values.js';

const parent = parentPort();
const running = new Map<number, AbortController>();
let backend: LocalBackend | undefined;

parent.onMessage((message) => {
  const request = message as Request;
  if (request.call === 'abort') running.get(request.id)?.abort();
  else void answer(request);
});

async function answer(request: Exclude<Request, { call: 'abort' }>): Promise<void> {
  const { id } = request;
  try {
    const { returned, transfer } = await perform(request);
    parent.postMessage({ id, returned }, transfer);
  } catch (error) {
    const failed = asNeuromancerError(error, 'internal', "The session's worker failed").toRecord();
    parent.postMessage({ id, failed });
  }
}

interface Answer {
  returned: Calls[CallName]['returns'];
  transfer?: Transferable[];
}

async function perform(request: Exclude<Request, { call: 'abort' }>): Promise<Answer> {
  if (request.call === 'load') return load(request.id, request.given);
  if (backend === undefined) throw new Error(`"${request.call}" came before the model was loaded`);
  if (request.call === 'run') return run(backend, request.id, request.given);
  if (request.call === 'steps') return { returned: await backend.steps() };
  if (request.call === 'memory') return { returned: await backend.memory() };
  await backend.release();
  return { returned: null };
}

async function load(id: number, given: Calls['load']['given']): Promise<Answer> {
  const { module, threads, source, externalData, optimize, wantsProgress } = given;
  const progress = wantsProgress ? { onProgress: (progress: object) => parent.postMessage({ id, progress }) } : {};
  backend = await LocalBackend.load(source, { wasm: module, threads, externalData, optimize, ...progress });
  return { returned: { description: backend.description, engine: backend.engine } };
}

async function run(session: LocalBackend, id: number, given: Calls['run']['given']): Promise<Answer> {
  const feeds = new Map(Object.entries(given.feeds).map(([name, value]) => [name, revived(value)]));
  const options: RunOptions = {};
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
  try {
    const buffers: ArrayBuffer[] = [];
    const record = ({ type, data, shape }: Tensor): TensorLike => {
      if (ArrayBuffer.isView(data)) buffers.push(data.buffer as ArrayBuffer);
      return { type, data, shape };
    };
    const values = Object.entries(await session.run(feeds, options));
    const outputs = Object.fromEntries(values.map(([name, value]) => [name, mapTensors(value, record)]));
    return { returned: times === undefined ? { outputs } : { outputs, profile: times }, transfer: buffers };
  } finally {
    running.delete(id);
  }
}
