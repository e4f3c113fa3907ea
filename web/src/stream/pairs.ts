// Which input takes which output of the run before.
import type { ValueInfo } from '../api/description.js';
import { NeuromancerError } from '../api/errors.js';
import { matching, suggestion } from '../api/names.js';
import { timeAxis } from './time-axis.js';

/** One part of a model's state. */
export interface Pair {
  readonly input: ValueInfo;
  readonly output: string;
  /** The axis that grows by the positions of each run; undefined for state of one size. */
  readonly axis: number | undefined;
  /** Computed once, in the first run: what a decoder makes of its encoder's output. */
  readonly once: boolean;
}

interface Ports {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** How exporters name state, input and output; the first form that fits decides. `*` stands for the same text in both. */
const forms: readonly (readonly [string, string])[] = [
  ['past_key_values.*', 'present.*'],
  ['past_key_values.*', 'present_key_values.*'],
  ['past_key_values_*', 'present_key_values_*'],
  ['past_key_values_*', 'present_*'],
  ['past_key_values*', 'present*'],
  ['past*', 'present*'],
  ['*_past', '*_present'],
  ['past_*', 'new_*'],
  ['*_in', '*_out'],
  ['in_*', 'out_*'],
  ['prev_*', 'next_*'],
  ['prev_*', 'new_*'],
  ['old_*', 'new_*'],
  ['*', 'new_*'],
  ['*', 'next_*'],
  ['*', 'updated_*'],
  ['*', '*_out'],
  ['*', '*_next'],
  ['*', '*_new'],
  ['*0', '*n'],
  ['*_0', '*_n'],
  ['*', '*N'],
  ['*', '*n'],
];

/** The pairs that a caller names, each side with at most one `*`. */
export function namedPairs(ports: Ports, state: Readonly<Record<string, string>>, axis?: number | false): Pair[] {
  const entries = Object.entries(state);
  if (entries.length === 0) throw new NeuromancerError('invalid_argument', 'The option "state" names no state.');
  return entries.flatMap(([from, to]) => {
    const inputs = found('input', from, ports.inputs);
    return inputs.map((input) => {
      const wanted = renamed(input.name, from, to);
      const output = found('output', wanted, ports.outputs)[0] as ValueInfo;
      const why = misfit(input, output);
      if (why !== undefined) {
        throw new NeuromancerError(
          'invalid_argument',
          `Output "${output.name}" cannot be the next run's input "${input.name}": ${why}.`,
          { input: input.name },
        );
      }
      return pairOf(input, output, axis);
    });
  });
}

/** The pairs that names tell; none for a model without state. */
export function pairsByName(ports: Ports, axis?: number | false): Pair[] {
  const outputs = new Map(ports.outputs.map((output) => [output.name, output]));
  const pairs: Pair[] = [];
  for (const input of ports.inputs) {
    for (const [from, to] of forms) {
      const name = renamed(input.name, from, to);
      const output = name === undefined || name === input.name ? undefined : outputs.get(name);
      if (output === undefined || misfit(input, output) !== undefined) continue;
      pairs.push(pairOf(input, output, axis));
      outputs.delete(output.name);
      break;
    }
  }
  return pairs;
}

/** The same of a model that is known to have state. */
export function foundPairs(ports: Ports, axis?: number | false): Pair[] {
  const pairs = pairsByName(ports, axis);
  if (pairs.length > 0) return pairs;
  const list = (infos: readonly ValueInfo[]) => infos.map(({ name }) => `"${name}"`).join(', ');
  throw new NeuromancerError(
    'invalid_argument',
    `No state was found by name among the inputs ${list(ports.inputs)} and the outputs ${list(ports.outputs)}; ` +
      "say what goes where: { state: { 'state_in': 'state_out' } }.",
  );
}

function pairOf(input: ValueInfo, output: ValueInfo, axis: number | false | undefined): Pair {
  const once = /encoder|cross/i.test(input.name);
  const found = axis === undefined ? timeAxis(input, output) : axis === false ? undefined : axis;
  return { input, output: output.name, axis: found, once };
}

/** `name`, which has the form `from`, in the form `to`; undefined when it has another one. */
function renamed(name: string, from: string, to: string): string;
function renamed(name: string, from: string, to: string): string | undefined;
function renamed(name: string, from: string, to: string): string | undefined {
  const [before = '', after] = from.split('*');
  if (after === undefined) return name === from ? to : undefined;
  if (name.length <= before.length + after.length || !name.startsWith(before) || !name.endsWith(after))
    return undefined;
  return to.replace('*', () => name.slice(before.length, name.length - after.length));
}

function found(kind: string, name: string, infos: readonly ValueInfo[]): ValueInfo[] {
  const names = infos.map((info) => info.name);
  const known = matching(name, names);
  if (known !== undefined) return infos.filter((info) => known.includes(info.name));
  throw new NeuromancerError(
    'invalid_argument',
    `The model has no ${kind} "${name}" for its state; its ${kind}s are ${names.map((other) => `"${other}"`).join(', ')}.${suggestion(name, names)}`,
  );
}

/** Why an output cannot be fed back as that input, if so. */
function misfit(input: ValueInfo, output: ValueInfo): string | undefined {
  if (!/^\w+$/.test(input.type)) return `it is a ${input.type}, and state is made of tensors`;
  if (input.type !== output.type) return `it is a ${output.type}, not a ${input.type}`;
  if (input.shape === undefined || output.shape === undefined) return undefined;
  const [given, taken] = [output.shape, input.shape];
  const fits =
    given.length === taken.length &&
    taken.every((dim, i) => typeof dim !== 'number' || typeof given[i] !== 'number' || given[i] === dim);
  return fits ? undefined : `its shape is [${given.join(',')}], not [${taken.join(',')}]`;
}
