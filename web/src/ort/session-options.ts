// Session and run options: those that onnxruntime checks are checked, those that have a meaning here are turned into the
// core's own.
import type { InferenceSession } from 'onnxruntime-common';
import { NeuromancerError } from '../api/errors.js';
import { plainly } from '../api/names.js';

type Options = InferenceSession.SessionOptions;

const levels = ['disabled', 'basic', 'extended', 'layout', 'all'];
const modes = ['sequential', 'parallel'];
const locations = ['cpu', 'cpu-pinned', 'texture', 'gpu-buffer', 'ml-tensor'];

export function checkSessionOptions(options: Options): void {
  oneOf('graphOptimizationLevel', options.graphOptimizationLevel, levels);
  oneOf('executionMode', options.executionMode, modes);
  checkLogging(options);
  const { preferredOutputLocation: location = 'cpu' } = options;
  for (const each of typeof location === 'string' ? [location] : Object.values(location)) {
    oneOf('preferredOutputLocation', each, locations);
  }
  for (const [name, value] of Object.entries(options.freeDimensionOverrides ?? {})) {
    if (Number.isInteger(value) && value >= 0) continue;
    throw invalid(`freeDimensionOverrides["${name}"]`, 'a whole number that is not negative', value);
  }
  if (options.enableGraphCapture !== undefined && typeof options.enableGraphCapture !== 'boolean') {
    throw invalid('enableGraphCapture', 'true or false', options.enableGraphCapture);
  }
  if (options.extra !== undefined) checkExtra(options.extra);
}

export function checkRunOptions(options: InferenceSession.RunOptions): void {
  checkLogging(options);
  if (options.extra !== undefined) checkExtra(options.extra);
}

function checkLogging({ logSeverityLevel, logVerbosityLevel }: InferenceSession.RunOptions): void {
  if (logSeverityLevel !== undefined && ![0, 1, 2, 3, 4].includes(logSeverityLevel)) {
    throw invalid('logSeverityLevel', 'a whole number of 0 to 4', logSeverityLevel);
  }
  if (logVerbosityLevel !== undefined && !Number.isInteger(logVerbosityLevel)) {
    throw invalid('logVerbosityLevel', 'a whole number', logVerbosityLevel);
  }
}

/** Entries are for onnxruntime's own machinery and change nothing here; their form is checked all the same. */
function checkExtra(extra: object, seen = new Set<object>()): void {
  if (seen.has(extra)) throw new NeuromancerError('invalid_argument', 'The option "extra" contains itself.');
  seen.add(extra);
  for (const [name, value] of Object.entries(extra)) {
    if (typeof value === 'object' && value !== null) checkExtra(value, seen);
    else if (!['string', 'number', 'boolean'].includes(typeof value)) {
      throw invalid(`extra: ${name}`, 'a string, a number, a boolean or an object of these', value);
    }
  }
}

function oneOf(option: string, value: unknown, known: readonly string[]): void {
  if (value === undefined || known.includes(value as string)) return;
  throw invalid(option, `one of ${known.map((name) => `"${name}"`).join(', ')}`, value);
}

function invalid(option: string, expected: string, actual: unknown): NeuromancerError {
  return new NeuromancerError(
    'invalid_argument',
    `The option "${option}" must be ${expected}, not ${plainly(actual)}.`,
    {
      expected,
      actual: plainly(actual),
    },
  );
}
