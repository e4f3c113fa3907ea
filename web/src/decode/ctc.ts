import { NeuromancerError } from '../api/errors.js';
import { checkOptions, type OptionRules } from '../api/names.js';
import { floatsOf } from '../values/floats.js';
import type { TensorLike } from '../values/tensor.js';
import { best } from './best.js';

export interface CtcOptions {
  /** The class that stands for no character; by default 0. */
  blank?: number;
  /** The text of each class, by its index; what has none adds nothing. */
  labels?: readonly string[];
}

export interface CtcText {
  /** Of the labels, one after the other; empty without labels. */
  readonly text: string;
  readonly classes: readonly number[];
  /** The time step at which each class begins. */
  readonly steps: readonly number[];
  /** The mean of the scores at these steps: of probabilities, how sure the model is. 0 where nothing was read. */
  readonly score: number;
}

const rules: OptionRules = {
  blank: ['the index of a class', (value) => Number.isInteger(value) && Number(value) >= 0],
  labels: ['an array of texts', (value) => Array.isArray(value)],
};

/**
 * The best class of each time step, repetitions and blanks left out (connectionist temporal classification). `scores`,
 * logits or probabilities, are [time, classes], or [batch, time, classes]: one text for each of the batch.
 */
export function ctcGreedy(scores: TensorLike, options: CtcOptions = {}): CtcText[] {
  checkOptions('ctcGreedy', options, rules);
  const values = floatsOf(scores, 'ctcGreedy');
  const [batch, time, classes] = scores.shape.length === 2 ? [1, ...scores.shape] : scores.shape;
  if (batch === undefined || time === undefined || !classes || values.length !== batch * time * classes) {
    throw new NeuromancerError(
      'shape_mismatch',
      `ctcGreedy takes scores of the shape [time,classes] or [batch,time,classes], not [${scores.shape.join(',')}].`,
    );
  }
  const { blank = 0, labels = [] } = options;
  return Array.from({ length: batch }, (_, row) => {
    const found: { label: number; score: number; step: number }[] = [];
    let before = blank;
    for (let step = 0; step < time; step++) {
      const { label, score } = best(values, (row * time + step) * classes, 1, classes, -1);
      if (label !== blank && label !== before) found.push({ label, score, step });
      before = label;
    }
    return {
      text: found.map(({ label }) => labels[label] ?? '').join(''),
      classes: found.map(({ label }) => label),
      steps: found.map(({ step }) => step),
      score: found.reduce((sum, { score }) => sum + score, 0) / Math.max(1, found.length),
    };
  });
}
