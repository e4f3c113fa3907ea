// Half and bfloat16 as bits in a Uint16Array: not every engine has Float16Array yet, and none has bfloat16.

const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);

/** float32 → float16 bits, rounding to nearest, ties to even. */
export function float16Bits(value: number): number {
  real[0] = value;
  const bits = word[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds past 65504: infinity
  if (magnitude >= 0x38800000) {
    // Normal: rebias the exponent from 127 to 15 and round the 13 bits that go.
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0x0fff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  // Subnormal: adding 0.5 makes the float32 adder do the shift and the rounding at 2^-24.
  real[0] = Math.abs(real[0] as number) + 0.5;
  return sign | ((word[0] as number) - 0x3f000000);
}

export function float16Value(bits: number): number {
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** float32 → bfloat16 bits, rounding to nearest, ties to even. */
export function bfloat16Bits(value: number): number {
  real[0] = value;
  const bits = word[0] as number;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40; // NaN stays one
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function bfloat16Value(bits: number): number {
  word[0] = bits << 16;
  return real[0] as number;
}

/** Every half value, made when first needed: a table is several times faster than the arithmetic. */
let table: Float32Array | undefined;

export function float16ToFloat32(bits: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, i) => float16Value(i));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i] as number] as number;
  return out;
}

export function float32ToFloat16(values: ArrayLike<number>): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = float16Bits(values[i] as number);
  return out;
}

export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < out.length; i++) out[i] = bfloat16Value(bits[i] as number);
  return out;
}

export function float32ToBfloat16(values: ArrayLike<number>): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = bfloat16Bits(values[i] as number);
  return out;
}
