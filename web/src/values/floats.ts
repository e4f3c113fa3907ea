import { NeuromancerError } from '../api/errors.js';
import { plainly } from '../api/names.js';
import { bfloat16ToFloat32, float16ToFloat32 } from './float16.js';
import type { TensorLike } from './tensor.js';

/** Types whose elements are numbers as they lie there. */
const plain = /^(float(32|64)|u?int(8|16|32))$/;

/** A tensor's values as float32, its own data where they are that. `call` says in the error who wanted them. */
export function floatsOf(tensor: TensorLike, call: string): Float32Array {
  const { type, data } = (tensor ?? {}) as Partial<TensorLike>;
  if (type === 'float32') return data as Float32Array;
  if (type === 'float16') return float16ToFloat32(data as Uint16Array);
  if (type === 'bfloat16') return bfloat16ToFloat32(data as Uint16Array);
  if (type !== undefined && plain.test(type)) return Float32Array.from(data as unknown as ArrayLike<number>);
  const actual = type === undefined ? plainly(tensor) : `a tensor of ${type}`;
  throw new NeuromancerError('type_mismatch', `${call} takes a tensor of numbers, not ${actual}.`, {
    expected: 'a tensor of numbers',
    actual,
  });
}
