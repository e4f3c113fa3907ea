// What Session.load and run take beside the model and the inputs.

import { isSource } from '../download/fetch.js';
import type { Limits, LoadOptions } from '../engine/backend.js';
import { isModule } from '../host/host.js';
import { cacheTypeRule } from './cache-type.js';
import { NeuromancerError } from './errors.js';
import { checkOptions, type OptionRules } from './names.js';

type Check = (value: unknown) => boolean;
const isBoolean: Check = (value) => typeof value === 'boolean';
const isFunction: Check = (value) => typeof value === 'function';
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isSignal: Check = (value) =>
  typeof (value as AbortSignal | null)?.addEventListener === 'function' &&
  typeof (value as AbortSignal).aborted === 'boolean';
const isLimit: Check = (value) => typeof value === 'number' && value >= 0;

const operators = ['an array of custom operators', Array.isArray] as const;
const signal = ['an AbortSignal', isSignal] as const;
const count = [
  'a whole number of 1 to 64',
  (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 64,
] as const;
const limit = ['a number that is not negative', isLimit] as const;
const boolean = ['true or false', isBoolean] as const;

const loadRules: OptionRules = {
  artefact: ['the name of an artefact', isText],
  externalData: ['an object of sources by path', isObject],
  freeDimensions: ['an object of numbers by name', isObject],
  limits: ['an object of numbers', isObject],
  onProgress: ['a function', isFunction],
  operators,
  optimize: boolean,
  shared: boolean,
  signal,
  threads: count,
  wasm: ['a WebAssembly.Module, a URL, bytes or a Response', (value) => isModule(value) || isSource(value)],
  worker: boolean,
  workers: count,
};

const names = ['an array of output names', (value: unknown) => Array.isArray(value) && value.every(isText)] as const;

const runRules: OptionRules = {
  cache: cacheTypeRule,
  fetch: names,
  keep: names,
  outputs: ['"copy" or "view"', (value) => value === 'copy' || value === 'view'],
  profile: ['a function', isFunction],
  signal,
  trace: ['a function', isFunction],
  transfer: boolean,
};

const limitRules: OptionRules = { bytes: limit, nodes: limit, nesting: limit, rounds: limit, textBytes: limit };

export function checkLoadOptions(options: unknown): void {
  checkOptions('Session.load', options, loadRules);
  const { limits } = options as { limits?: unknown };
  if (limits !== undefined) checkOptions('"limits"', limits, limitRules);
  const { shared, worker, workers = worker ? 1 : 0 } = options as LoadOptions;
  if (!shared) return;
  const other =
    workers > 0 ? 'worker' : (limits as Limits | undefined)?.bytes !== undefined ? 'limits.bytes' : undefined;
  if (other === undefined) return;
  throw new NeuromancerError(
    'invalid_argument',
    `"shared" and "${other}" exclude each other: sessions that share an instance are in this thread and have one memory.`,
  );
}

export function checkBundleOptions(options: unknown): void {
  checkOptions('Session.fromBundle', options, { operators, signal });
}

export function checkKeptPart(part: unknown): void {
  const size = [
    'a whole number that is not negative',
    (value: unknown) => isLimit(value) && Number.isInteger(value),
  ] as const;
  checkOptions('keep', part, { axis: size, length: size });
}

export function checkRunOptions(options: unknown): void {
  checkOptions('run', options, runRules);
}
