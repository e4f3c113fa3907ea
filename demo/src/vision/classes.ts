export interface Ranked {
  label: string;
  share: number;
}

/** The `count` most probable classes. Scores that are not probabilities already are taken for logits. */
export function rank(scores: Float32Array, labels: readonly string[], count = 5): Ranked[] {
  const shares = isDistribution(scores) ? scores : softmax(scores);
  const order = Array.from(shares, (_, i) => i).sort((a, b) => (shares[b] as number) - (shares[a] as number));
  // Networks with a class for the background count from it.
  const offset = labels.length > 0 && shares.length === labels.length + 1 ? 1 : 0;
  return order.slice(0, count).map((i) => ({
    label: labels[i - offset]?.split(',')[0] ?? (labels.length > 0 && i < offset ? 'background' : `class ${i}`),
    share: shares[i] as number,
  }));
}

function isDistribution(values: Float32Array): boolean {
  const sum = values.reduce((total, value) => total + value, 0);
  return Math.abs(sum - 1) < 0.02 && values.every((value) => value >= 0);
}

function softmax(values: Float32Array): Float32Array {
  const highest = values.reduce((best, value) => Math.max(best, value), Number.NEGATIVE_INFINITY);
  const powers = values.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}
