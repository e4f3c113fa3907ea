// This engine as a backend of onnxruntime-common, which finds it by the names of execution providers.
import { type Backend, env, type InferenceSession, registerBackend } from 'onnxruntime-common';
import { NeuromancerError } from '../api/errors.js';
import { Session } from '../api/session.js';
import type { Source } from '../download/fetch.js';
import type { LoadOptions } from '../engine/backend.js';
import { loadModule } from '../engine/loader.js';
import { isModule } from '../host/host.js';
import { engineOptions, settle } from './environment.js';
import { noteProviders, providerNames } from './execution-providers.js';
import { Handler } from './handler.js';
import { dataBeside, givenFiles, modelSource } from './model-files.js';
import { checkSessionOptions } from './session-options.js';

const backend: Backend = {
  // The engine itself comes with the first session: onnxruntime-common never tries a backend again whose beginning has
  // failed, and says why in a text only.
  init: async () => settle(env),
  async createInferenceSessionHandler(pathOrBytes, options = {}) {
    checkSessionOptions(options);
    noteProviders(options);
    const session = await load(modelSource(pathOrBytes), options);
    warn(session, options);
    return new Handler(session, options);
  },
};

async function load(model: Source, options: InferenceSession.SessionOptions): Promise<Session> {
  const externalData = givenFiles(options);
  const engine = await inTime(engineOptions(env, options.intraOpNumThreads), env.wasm.initTimeout);
  const optimize = options.graphOptimizationLevel !== 'disabled';
  try {
    return await Session.load(model, { ...engine, optimize, externalData });
  } catch (error) {
    if ((error as NeuromancerError).code !== 'invalid_model') throw error;
    // What goes wrong while looking is not what the caller is to hear of.
    const beside = await dataBeside(model, externalData).catch(() => ({}));
    if (Object.keys(beside).length === 0) throw error;
    return Session.load(model, { ...engine, optimize, externalData: { ...externalData, ...beside } });
  }
}

/** The same options, when the engine has to be there within a time as soon as it is, and with it where they name one. */
async function inTime(options: LoadOptions, milliseconds = 0): Promise<LoadOptions> {
  if (milliseconds <= 0 || isModule(options.wasm)) return options;
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const wasm = await loadModule(options, options.threads ?? 1, signal);
    // The package's own is here now for whoever asks again, and not the one for every model.
    return options.wasm === undefined ? options : { ...options, wasm };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new NeuromancerError(
      'engine_unavailable',
      `The engine was not there after the ${milliseconds} ms of env.wasm.initTimeout; give it more, or 0 for no limit.`,
      {},
      error,
    );
  }
}

const levels = ['verbose', 'info', 'warning', 'error', 'fatal'];
const warning = 2;

function warn({ model }: Session, { logSeverityLevel }: InferenceSession.SessionOptions): void {
  if ((logSeverityLevel ?? levels.indexOf(env.logLevel ?? 'warning')) > warning) return;
  for (const text of model.warnings) console.warn(`neuromancer/ort: ${text}`);
}

/** Above that of onnxruntime-web, should both be there. */
const priority = 100;

export function register(): void {
  for (const name of providerNames) {
    try {
      registerBackend(name, backend, priority);
    } catch {
      // Another copy of this package was here before, and does the same.
    }
  }
}
