import { Tensor, type TensorLike, type ValueInfo } from 'neuromancer';

/** The sizes chosen for dimensions that the model leaves open, by symbol; "?" stands for the nameless ones. */
export type Sizes = ReadonlyMap<string, number>;

export function openDimensions(inputs: readonly ValueInfo[]): string[] {
  const symbols = inputs.flatMap(({ shape }) => (shape ?? []).filter((dim) => typeof dim !== 'number'));
  return [...new Set(symbols.map((symbol) => symbol ?? '?'))];
}

/** A random tensor for every input that is needed: small floats, and zeros and ones for integers, which are often ids. */
export function randomFeeds(inputs: readonly ValueInfo[], sizes: Sizes): Record<string, TensorLike> {
  const needed = inputs.filter(({ optional }) => !optional);
  return Object.fromEntries(needed.map((input) => [input.name, randomTensor(input, sizes)]));
}

function randomTensor({ name, type, shape }: ValueInfo, sizes: Sizes): TensorLike {
  const dims = (shape ?? []).map((dim) => (typeof dim === 'number' ? dim : (sizes.get(dim ?? '?') ?? 1)));
  const count = dims.reduce((product, dim) => product * dim, 1);
  const list = <T>(make: () => T) => Array.from({ length: count }, make);
  const coin = () => (Math.random() < 0.5 ? 0 : 1);
  if (type === 'string')
    return new Tensor(
      type,
      list(() => 'text'),
      dims,
    );
  if (type === 'float32' || type === 'float64' || type === 'float16' || type === 'bfloat16') {
    return new Tensor(
      type,
      list(() => 2 * Math.random() - 1),
      dims,
    );
  }
  if (type === 'uint8')
    return new Tensor(
      type,
      list(() => Math.floor(256 * Math.random())),
      dims,
    );
  const integers = ['bool', 'int8', 'uint16', 'int16', 'int32', 'int64', 'uint32', 'uint64'] as const;
  const integer = integers.find((candidate) => candidate === type);
  if (integer !== undefined) return new Tensor(integer, list(coin), dims);
  throw new Error(`The input "${name}" is a ${type}, for which this page cannot make random values.`);
}
