import { Tensor, type TensorLike, type ValueInfo } from 'neuromancer';

/** What the visitor chose, by the keys of `openDimensions` and `scalars`. A scalar without a value is random. */
export interface Choices {
  sizes: ReadonlyMap<string, number>;
  values: ReadonlyMap<string, number>;
}

/** More elements than this in one input would only fill the page's memory. */
const mostElements = 2 ** 27;

/** "past_sequence_length + 1": a size that follows from others. */
const sum = /^[\w.]+( \+ [\w.]+)+$/;

/** The key of a dimension: its name, which stands for one size everywhere, or its place where it has none. */
function keyOf(input: ValueInfo, axis: number): string {
  return (input.shape?.[axis] as string | null) ?? `${input.name}, axis ${axis}`;
}

function keysOf(inputs: readonly ValueInfo[]): string[] {
  return inputs.flatMap((input) =>
    (input.shape ?? []).flatMap((dim, axis) => (typeof dim === 'number' ? [] : [keyOf(input, axis)])),
  );
}

/** What a size is the sum of. "past + 1" says so; a total is the past and what is new, where the model has all three. */
function partsOf(key: string, keys: readonly string[]): string[] {
  const [, whole = ''] = /^total_(.+)$/.exec(key) ?? [];
  const total = [`past_${whole}`, whole];
  if (total.every((part) => keys.includes(part))) return total;
  return sum.test(key) ? key.split(' + ') : [key];
}

/** The sizes to be chosen, each once. */
export function openDimensions(inputs: readonly ValueInfo[]): string[] {
  const keys = keysOf(inputs);
  const parts = keys.flatMap((key) => partsOf(key, keys)).filter((part) => !/^\d+$/.test(part));
  return [...new Set(parts)];
}

/** The inputs of one number each: a sampling rate, a threshold, a flag. */
export function scalars(inputs: readonly ValueInfo[]): string[] {
  return inputs
    .filter(({ type, shape, optional }) => !optional && isNumeric(type) && shape?.every((dim) => dim === 1))
    .map(({ name }) => name);
}

function isNumeric(type: string): boolean {
  return /^(float(16|32|64)|bfloat16|bool|u?int(8|16|32|64))$/.test(type);
}

/** A random tensor for every input that is needed: small floats, and zeros and ones for integers, which are often ids. */
export function randomFeeds(inputs: readonly ValueInfo[], choices: Choices): Record<string, TensorLike> {
  const needed = inputs.filter(({ optional }) => !optional);
  const keys = keysOf(inputs);
  const numberOf = (part: string) => (/^\d+$/.test(part) ? Number(part) : (choices.sizes.get(part) ?? 1));
  const sizeOf = (key: string) => partsOf(key, keys).reduce((total, part) => total + numberOf(part), 0);
  return Object.fromEntries(needed.map((input) => [input.name, tensorFor(input, choices.values, sizeOf)]));
}

function tensorFor(input: ValueInfo, values: Choices['values'], sizeOf: (key: string) => number): TensorLike {
  const { name, type, shape = [] } = input;
  const dims = shape.map((dim, axis) => (typeof dim === 'number' ? dim : sizeOf(keyOf(input, axis))));
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (!(count <= mostElements)) {
    throw new Error(
      `The input "${name}" of ${dims.join(' × ')} has ${count.toLocaleString('en')} elements; this page makes up to ` +
        `${mostElements.toLocaleString('en')}. Choose smaller sizes.`,
    );
  }
  if (type === 'string') return new Tensor(type, Array(count).fill('text'), dims);
  if (!isNumeric(type))
    throw new Error(`The input "${name}" is a ${type}, for which this page cannot make random values.`);
  const value = values.get(name);
  const make = /float/.test(type) ? noise : type === 'uint8' ? byte : coin;
  const numbers = value === undefined ? Float32Array.from({ length: count }, make) : Float64Array.of(value);
  return new Tensor(type as 'float32', /^(u?int|bool)/.test(type) ? wholeNumbers(type, numbers) : numbers, dims);
}

const noise = () => 2 * Math.random() - 1;
const byte = () => Math.floor(256 * Math.random());
const coin = () => (Math.random() < 0.5 ? 0 : 1);

/** Numbers in the array that the type has, without a check of each. */
function wholeNumbers(type: string, numbers: Float32Array | Float64Array): ArrayBufferView {
  if (type === 'int64') return BigInt64Array.from([...numbers], (value) => BigInt(Math.round(value)));
  if (type === 'uint64') return BigUint64Array.from([...numbers], (value) => BigInt(Math.round(value)));
  return Float64Array.from(numbers, Math.round);
}
