// The first step of a session whose value is not what a reference says.
import type { TracedStep } from '../api/description.js';
import { coded, NeuromancerError } from '../api/errors.js';
import { checkOptions } from '../api/names.js';
import type { Session } from '../api/session.js';
import type { TensorLike, TensorWithDims } from '../values/tensor.js';
import { describe, Tensor } from '../values/tensor.js';
import { checkedTensor, isTensorLike, type Value, type ValueLike } from '../values/values.js';

/**
 * What is right: another session in this thread (of the same model with `optimize: false`, say), or values by their names
 * in the model, however they were come by.
 */
export type Reference = Session | Readonly<Record<string, TensorLike | TensorWithDims>>;

export interface CompareOptions {
  /** The most that an element may differ, in parts of the largest number of the reference's tensor; 0.001 by default. */
  tolerance?: number;
}

export interface Difference {
  /** The value's name in the model. */
  readonly value: string;
  /** The step that computes it. */
  readonly step: number;
  readonly node: string;
  readonly operator: string;
  /** The last value before that agrees: the fault lies between the two. */
  readonly after: string | undefined;
  /** "elements", or what cannot be compared further. */
  readonly what: 'type' | 'shape' | 'elements';
  /** The largest difference of two elements: of texts 1, of NaN and a number Infinity. */
  readonly largest: number;
  /** Where that is. */
  readonly position: readonly number[];
  /** "float32[1,3]", or the element in that place. */
  readonly actual: string;
  readonly expected: string;
}

export interface Comparison {
  /** Values that both have. */
  readonly compared: number;
  /** Absent when all of them agree. */
  readonly difference?: Difference;
}

/**
 * Runs the session step by step on the inputs, and compares each value with the reference's of the same name. Passes
 * leave out values and rename others: only what both have is compared, and values with the channels last are turned.
 */
export function compare(
  session: Session,
  reference: Reference,
  feeds: Readonly<Record<string, ValueLike>>,
  options: CompareOptions = {},
): Promise<Comparison> {
  return coded('The comparison failed', async () => {
    checkOptions('compare', options, {
      tolerance: ['a number that is not negative', (value) => typeof value === 'number' && value >= 0],
    });
    const { tolerance = 1e-3 } = options;
    const expected = isSession(reference) ? await valuesOf(reference, feeds) : given(reference);
    /** Some are there in both layouts. */
    const compared = new Set<string>();
    let difference: Difference | undefined;
    let after: string | undefined;
    const see = (step: TracedStep, name: string, given: Value) => {
      const value = channelsFirst(name, given);
      const right = value && expected.get(value.name);
      if (value === undefined || right === undefined) return;
      // A pass may compute a value in another type than the model says.
      if (right.type !== value.tensor.type && isSession(reference)) return;
      compared.add(value.name);
      const found = differenceOf(value.tensor, right, tolerance);
      if (found === undefined) after = value.name;
      else difference = { ...place(step, value.name, after), ...found };
    };
    await session.run(feeds, {
      trace: (step) => {
        step.values.forEach((name, o) => {
          if (difference === undefined) see(step, name, step.outputs[o]);
        });
      },
    });
    if (compared.size === 0) {
      throw new NeuromancerError(
        'invalid_argument',
        'The session and the reference have no value of the same name: they are of different models, or of one that was ' +
          'packed without names.',
      );
    }
    return { compared: compared.size, ...(difference === undefined ? {} : { difference }) };
  });
}

function isSession(reference: Reference): reference is Session {
  return typeof (reference as Partial<Session>).run === 'function';
}

type Named = Map<string, Tensor>;

async function valuesOf(session: Session, feeds: Readonly<Record<string, ValueLike>>): Promise<Named> {
  const values: Named = new Map();
  await session.run(feeds, {
    trace: (step) => {
      step.values.forEach((name, o) => {
        const value = channelsFirst(name, step.outputs[o]);
        if (value !== undefined) values.set(value.name, value.tensor);
      });
    },
  });
  return values;
}

function given(values: Readonly<Record<string, TensorLike | TensorWithDims>>): Named {
  return new Map(Object.entries(values).map(([name, value]) => [name, checkedTensor(value, 'compare')]));
}

function place({ index, node, operator }: TracedStep, value: string, after: string | undefined) {
  return { value, step: index, node, operator, after };
}

const channelsLast = '.channels_last';

/** A tensor under the name and in the form that the model has it. */
function channelsFirst(name: string, value: Value): { name: string; tensor: Tensor } | undefined {
  // Not by its class: the session may be of another copy of this package.
  if (name === '' || !isTensorLike(value)) return undefined;
  const tensor = checkedTensor(value, 'compare');
  if (!name.endsWith(channelsLast)) return { name, tensor };
  return { name: name.slice(0, -channelsLast.length), tensor: turned(tensor) };
}

function turned({ type, data, shape }: Tensor): Tensor {
  const [batch = 1, ...rest] = shape;
  const channels = rest.pop() ?? 1;
  const pixels = rest.reduce((product, dim) => product * dim, 1);
  const from = data as Float32Array;
  const to = from.slice();
  for (let b = 0; b < batch; b++) {
    const start = b * channels * pixels;
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < pixels; p++) to[start + c * pixels + p] = from[start + p * channels + c] as number;
    }
  }
  return new Tensor(type, to, [batch, channels, ...rest]);
}

function differenceOf(actual: Tensor, expected: Tensor, tolerance: number) {
  const [isForm, shouldForm] = [actual, expected].map(({ type, shape }) => describe(type, shape)) as [string, string];
  if (isForm !== shouldForm) {
    const what = actual.type === expected.type ? ('shape' as const) : ('type' as const);
    return { what, largest: Number.POSITIVE_INFINITY, position: [], actual: isForm, expected: shouldForm };
  }
  const [is, should] = [elements(actual), elements(expected)];
  let [largest, at, scale] = [0, -1, 0];
  for (let i = 0; i < should.length; i++) {
    const size = Math.abs(Number(should[i]));
    if (Number.isFinite(size) && size > scale) scale = size;
    const distance = apart(is[i] as Element, should[i] as Element);
    if (distance > largest) [largest, at] = [distance, i];
  }
  if (largest <= tolerance * (scale || 1)) return undefined;
  const position = positionOf(at, expected.shape);
  return { what: 'elements' as const, largest, position, actual: String(is[at]), expected: String(should[at]) };
}

export type Element = number | bigint | string;

/** 16-bit floats as numbers; types that are bits in bytes as these. */
export function elements(tensor: Tensor): ArrayLike<Element> {
  const narrow = tensor.type === 'float16' || tensor.type === 'bfloat16';
  return (narrow ? tensor.toFloat32() : tensor.data) as ArrayLike<Element>;
}

/** NaN is apart from numbers by Infinity, one text from another by 1. */
export function apart(a: Element, b: Element): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  if (typeof a === 'string' || typeof b === 'string') return 1;
  const distance = Math.abs(Number(a) - Number(b));
  return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
}

function positionOf(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  let rest = index;
  for (const dim of [...shape].reverse()) {
    position.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  return position;
}
