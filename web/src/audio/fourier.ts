/** Computes the power |X|² of the first ⌊n/2⌋ + 1 frequencies of `n` real samples, fast where `n` has small factors. */
export function powerSpectrum(n: number): (samples: Float32Array, out: Float64Array) => void {
  const cosines = Float64Array.from({ length: n }, (_, i) => Math.cos((2 * Math.PI * i) / n));
  const sines = Float64Array.from({ length: n }, (_, i) => -Math.sin((2 * Math.PI * i) / n));
  const [real, imaginary] = [new Float64Array(n), new Float64Array(n)];
  const factors = primeFactors(n);
  // The values that one butterfly joins.
  const widest = Math.max(1, ...factors);
  const [a, b] = [new Float64Array(widest), new Float64Array(widest)];

  /** The transform of every `stride`-th sample from `start`, at `at` in the result (Cooley and Tukey). */
  const transform = (samples: Float32Array, start: number, stride: number, at: number, level: number) => {
    const factor = factors[level];
    if (factor === undefined) {
      real[at] = samples[start] as number;
      imaginary[at] = 0;
      return;
    }
    const part = n / (stride * factor);
    for (let r = 0; r < factor; r++) transform(samples, start + r * stride, stride * factor, at + r * part, level + 1);
    for (let k = 0; k < part; k++) {
      for (let r = 0; r < factor; r++) {
        const [x, y] = [real[at + r * part + k] as number, imaginary[at + r * part + k] as number];
        const [c, s] = [cosines[r * k * stride] as number, sines[r * k * stride] as number];
        a[r] = x * c - y * s;
        b[r] = x * s + y * c;
      }
      for (let q = 0; q < factor; q++) {
        let [x, y] = [0, 0];
        for (let r = 0; r < factor; r++) {
          const turn = (r * q * part * stride) % n;
          const [c, s] = [cosines[turn] as number, sines[turn] as number];
          x += (a[r] as number) * c - (b[r] as number) * s;
          y += (a[r] as number) * s + (b[r] as number) * c;
        }
        real[at + q * part + k] = x;
        imaginary[at + q * part + k] = y;
      }
    }
  };
  return (samples, out) => {
    transform(samples, 0, 1, 0, 0);
    for (let k = 0; k < out.length; k++) out[k] = (real[k] as number) ** 2 + (imaginary[k] as number) ** 2;
  };
}

function primeFactors(n: number): number[] {
  const factors: number[] = [];
  for (let factor = 2; n > 1; factor++) {
    for (; n % factor === 0; n /= factor) factors.push(factor);
  }
  return factors;
}
