import { Tensor } from 'neuromancer';
import { describe, expect, test } from 'vitest';
import { rank } from '../src/vision/classes.ts';

const scores = (...values: number[]) => new Tensor('float32', values, [1, values.length]);

describe('ranking', () => {
  test('probabilities stay, logits are turned into probabilities', () => {
    expect(rank(scores(0.1, 0.7, 0.2), ['a', 'b', 'c'], 2)).toMatchObject([{ label: 'b' }, { label: 'c' }]);
    const [first] = rank(scores(0, Math.log(3)), ['a', 'b']);
    expect(first?.share).toBeCloseTo(0.75);
  });

  test('a class for the background shifts the labels', () => {
    expect(rank(scores(0, 0, 9), ['a', 'b'])[0]?.label).toBe('b');
    expect(rank(scores(9, 0, 0), ['a', 'b'])[0]?.label).toBe('background');
  });
});
