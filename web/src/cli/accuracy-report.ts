// What packing has done to a model's outputs, for whoever packs on the command line.
import type { ValueInfo } from '../api/description.js';
import type { LoadOptions } from '../engine/backend.js';

/** Lines for each output, of one run on random inputs: floats from -1 to 1, integers 0 or 1; open dimensions are 1. */
export async function accuracyReport(
  packed: Uint8Array,
  model: Uint8Array,
  reference: Pick<LoadOptions, 'externalData' | 'freeDimensions'>,
): Promise<string> {
  const { Session, Tensor } = await beside<typeof import('../index.js')>('index.js');
  const { accuracy } = await beside<typeof import('../compare.js')>('compare.js');
  const one = { artefact: 'wasm', threads: 1 } as const;
  const session = await Session.load(packed, one);
  const original = await Session.load(model, { ...one, ...reference });
  const feeds = session.inputs
    .filter(({ optional }) => !optional)
    .map((input) => {
      const shape = input.shape?.map((dim) => (typeof dim === 'number' ? dim : 1)) ?? [];
      return [input.name, new Tensor(input.type as 'float32', randomElements(input, shape), shape)] as const;
    });
  const outputs = await accuracy(session, original, Object.fromEntries(feeds));
  return outputs
    .map(({ name, largest, signalToNoise, rows, sameLargest }) => {
      const line = `output "${name}": differs by at most ${largest.toPrecision(2)} of the largest number`;
      const noise = Number.isFinite(signalToNoise) ? `, signal to noise ${signalToNoise.toFixed(1)} dB` : '';
      return `${line}${noise}, the largest of a row is the same in ${sameLargest} of ${rows}\n`;
    })
    .join('');
}

/** An entry of this package: the command line has no copy of what it seldom needs. */
async function beside<Module>(entry: string): Promise<Module> {
  return (await import(new URL(entry, import.meta.url).href)) as Module;
}

/** As the tensor's constructor takes them. */
function randomElements({ name, type }: ValueInfo, shape: readonly number[]): number[] {
  if (!/^(float(16|32|64)|bfloat16|u?int(8|16|32|64)|bool)$/.test(type)) {
    throw new Error(
      `The file is written. How accurate it is cannot be said on random inputs, because "${name}" is a ${type}: use ` +
        'accuracy() of neuromancer/compare.',
    );
  }
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const unit = state / 2 ** 32;
    if (type.includes('float')) return 2 * unit - 1;
    return type.endsWith('64') ? BigInt(Math.round(unit)) : Math.round(unit);
  };
  const length = shape.reduce((product, dim) => product * dim, 1);
  return Array.from({ length }, random) as number[];
}
