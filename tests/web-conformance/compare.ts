// Results beside what a case expects, by the rules of the command line's `check` (cli/check.cpp).
import { bfloat16ToFloat32, describe, float16ToFloat32, type TensorLike } from 'neuromancer';
import type { Data } from './onnx-data.ts';

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
  /** Quantised models: the largest element along the last axis must be the same one. */
  readonly argmax: boolean;
}

/** ONNX's own. */
export const onnxTolerance: Tolerance = { rtol: 1e-3, atol: 1e-7, argmax: false };

/** What is wrong with the result, or undefined. */
export function compare(actual: Data, expected: Data, tolerance: Tolerance): string | undefined {
  if (formOf(actual) !== formOf(expected)) return `got ${formOf(actual)} where ${formOf(expected)} was expected`;
  if (expected === undefined) return undefined;
  if (isArray(expected)) {
    for (const [i, item] of expected.entries()) {
      const why = compare((actual as readonly Data[])[i], item, tolerance);
      if (why !== undefined) return `item ${i}: ${why}`;
    }
    return undefined;
  }
  if (expected instanceof Map) return compareMaps(actual as typeof expected, expected, tolerance);
  return compareTensors(actual as TensorLike, expected as TensorLike, tolerance);
}

function formOf(value: Data): string {
  if (value === undefined) return 'nothing';
  if (isArray(value)) return `a sequence of ${value.length}`;
  if (value instanceof Map) return `a map of ${value.size}`;
  const { type, shape } = value as TensorLike;
  return describe(type, shape);
}

const isArray = (value: Data): value is readonly Data[] => Array.isArray(value);

function compareMaps(actual: ReadonlyMap<unknown, unknown>, expected: typeof actual, tolerance: Tolerance) {
  for (const [key, entry] of expected) {
    const found = actual.get(key);
    const same =
      typeof found === 'number' && typeof entry === 'number' ? isClose(found, entry, tolerance) : found === entry;
    if (!same) return `the entry of ${key} is ${found} where ${entry} was expected`;
  }
  return undefined;
}

/** Tensors of the same type and shape. */
function compareTensors(actual: TensorLike, expected: TensorLike, tolerance: Tolerance): string | undefined {
  const [a, e] = [elements(actual), elements(expected)];
  if (a.length !== e.length) return `got ${a.length} entries of data where ${e.length} were expected`;
  if (!isReal.has(expected.type)) {
    const at = e.findIndex((element, i) => a[i] !== element);
    return at < 0 ? undefined : `entry ${at} of the data is ${a[at]} where ${e[at]} was expected`;
  }
  const [x, y] = [a as readonly number[], e as readonly number[]];
  const wrong = y.flatMap((element, i) => (isClose(x[i] as number, element, tolerance) ? [] : i));
  const [first] = wrong;
  if (first !== undefined) {
    const worst = wrong.reduce((most, i) => Math.max(most, Math.abs((x[i] as number) - (y[i] as number))), 0);
    return (
      `${wrong.length} of ${y.length} elements differ, the first at ${first}: ${x[first]} where ${y[first]} was ` +
      `expected; largest difference ${worst}`
    );
  }
  const width = tolerance.argmax ? (expected.shape.at(-1) ?? 0) : 0;
  for (let at = 0; at < y.length && width > 0; at += width) {
    const top = (row: readonly number[]) => row.indexOf(row.reduce((most, v) => Math.max(most, v)));
    if (top(x.slice(at, at + width)) !== top(y.slice(at, at + width))) {
      return `the largest element of row ${at / width} is another one`;
    }
  }
  return undefined;
}

/** Types whose elements may differ by the tolerance; all others are compared exactly. */
const isReal: ReadonlySet<string> = new Set(['float32', 'float64', 'float16', 'bfloat16', 'complex64', 'complex128']);

function elements({ type, data }: TensorLike): readonly (number | bigint | string)[] {
  if (type === 'float16') return Array.from(float16ToFloat32(data as Uint16Array));
  if (type === 'bfloat16') return Array.from(bfloat16ToFloat32(data as Uint16Array));
  return Array.from(data as ArrayLike<number | bigint | string>);
}

function isClose(actual: number, expected: number, { rtol, atol }: Tolerance): boolean {
  if (Object.is(actual, Number.NaN) || Object.is(expected, Number.NaN)) return Object.is(actual, expected);
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return actual === expected;
  return Math.abs(actual - expected) <= atol + rtol * Math.abs(expected);
}
