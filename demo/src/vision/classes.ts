import type { Tensor } from 'neuromancer';
import { softmax, topK } from 'neuromancer/decode';

export interface Ranked {
  label: string;
  share: number;
}

/** The `count` most probable classes. Scores that are not probabilities already are taken for logits. */
export function rank(scores: Tensor, labels: readonly string[], count = 5): Ranked[] {
  // Networks with a class for the background count from it.
  const offset = labels.length > 0 && scores.size === labels.length + 1 ? 1 : 0;
  const row = scores.reshape([scores.size]);
  return topK(isDistribution(scores.toFloat32()) ? row : softmax(row), count).map(({ index, score }) => ({
    label:
      labels[index - offset]?.split(',')[0] ?? (labels.length > 0 && index < offset ? 'background' : `class ${index}`),
    share: score,
  }));
}

function isDistribution(values: Float32Array): boolean {
  const sum = values.reduce((total, value) => total + value, 0);
  return Math.abs(sum - 1) < 0.02 && values.every((value) => value >= 0);
}
