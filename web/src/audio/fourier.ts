/**
 * Computes the power |X|² of the first ⌊n/2⌋ + 1 frequencies of two pieces of `n` real samples, fast where `n` has small
 * factors. Two at once: one is the real part and the other the imaginary part of what is transformed.
 */
export function powerSpectra(
  n: number,
): (first: Float32Array, second: Float32Array, powers: readonly [Float64Array, Float64Array]) => void {
  const stages = stagesOf(n);
  let [real, imaginary] = [new Float64Array(n), new Float64Array(n)];
  let [nextReal, nextImaginary] = [new Float64Array(n), new Float64Array(n)];

  return (first, second, [a, b]) => {
    for (let i = 0; i < n; i++) {
      real[i] = first[i] as number;
      imaginary[i] = second[i] as number;
    }
    for (const stage of stages) {
      join(n, stage, real, imaginary, nextReal, nextImaginary);
      [real, imaginary, nextReal, nextImaginary] = [nextReal, nextImaginary, real, imaginary];
    }
    for (let k = 0; k < a.length; k++) {
      // What of X[k] is as it is in the transform of real samples, X[n - k] mirrored, is the first one's.
      const mirrored = k === 0 ? 0 : n - k;
      const [x, y] = [real[k] as number, imaginary[k] as number];
      const [u, v] = [real[mirrored] as number, imaginary[mirrored] as number];
      a[k] = ((x + u) ** 2 + (y - v) ** 2) / 4;
      b[k] = ((y + v) ** 2 + (x - u) ** 2) / 4;
    }
  };
}

/** A stage joins `factor` transforms of `length` values each into one. */
interface Stage {
  readonly factor: number;
  readonly length: number;
  /** What value t of those that belong together counts in the result o, at o · factor + t. */
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

function stagesOf(n: number): Stage[] {
  const stages: Stage[] = [];
  let length = 1;
  for (const factor of factorsOf(n)) {
    const joined = length * factor;
    const angles = Array.from({ length: joined * factor }, (_, i) => {
      const turn = (Math.floor(i / factor) * (i % factor)) % joined;
      return (-2 * Math.PI * turn) / joined;
    });
    stages.push({
      factor,
      length,
      cosines: Float64Array.from(angles, Math.cos),
      sines: Float64Array.from(angles, Math.sin),
    });
    length = joined;
  }
  return stages;
}

/** Fours first: they need fewer stages than twos. */
function factorsOf(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  for (; rest % 4 === 0; rest /= 4) factors.push(4);
  for (let factor = 2; rest > 1; factor++) {
    for (; rest % factor === 0; rest /= factor) factors.push(factor);
  }
  return factors;
}

/** Stockham's form of the transform: results come in order, so that nothing is sorted (Van Loan, 1992, 1.7). */
function join(
  n: number,
  { factor, length, cosines, sines }: Stage,
  real: Float64Array,
  imaginary: Float64Array,
  outReal: Float64Array,
  outImaginary: Float64Array,
): void {
  const joined = length * factor;
  const step = n / factor; // from one of the values that belong together to the next
  for (let k = 0; k * joined < n; k++) {
    for (let o = 0, from = k * length; o < joined; o++, from++) {
      if (from === (k + 1) * length) from = k * length;
      let x = 0;
      let y = 0;
      for (let t = o * factor, at = from; t < (o + 1) * factor; t++, at += step) {
        const c = cosines[t] as number;
        const s = sines[t] as number;
        const u = real[at] as number;
        const v = imaginary[at] as number;
        x += u * c - v * s;
        y += u * s + v * c;
      }
      outReal[k * joined + o] = x;
      outImaginary[k * joined + o] = y;
    }
  }
}
