// What chooses the next token: each part against values worked out by hand.
import { describe, expect, test } from 'vitest';
import { badWords } from '../src/generate/bad-words.js';
import { draw, likeliest } from '../src/generate/choose.js';
import { frequency } from '../src/generate/frequency.js';
import { lookUp } from '../src/generate/look-up.js';
import { minP } from '../src/generate/min-p.js';
import { noRepeat } from '../src/generate/no-repeat.js';
import { draws, processorsOf } from '../src/generate/options.js';
import type { LogitsProcessor } from '../src/generate/processor.js';
import { seeded } from '../src/generate/random.js';
import { repetition } from '../src/generate/repetition.js';
import { smallestUntil } from '../src/generate/select.js';
import { temperature } from '../src/generate/temperature.js';
import { topK } from '../src/generate/top-k.js';
import { topP } from '../src/generate/top-p.js';
import { typical } from '../src/generate/typical.js';
import { logSoftmax, softmax } from '../src/values/softmax.js';

const none = Number.NEGATIVE_INFINITY;
/** Logits whose probabilities are these. */
const likely = [0.5, 0.2, 0.15, 0.1, 0.05];
const logitsOf = (probabilities: readonly number[]) => Float32Array.from(probabilities, (p) => Math.log(p));

function processed(process: LogitsProcessor, logits: readonly number[] | Float32Array, ids: number[] = [], prompt = 0) {
  const out = Float32Array.from(logits);
  process(out, { ids, promptLength: prompt });
  return [...out];
}

/** The tokens that a processor leaves. */
function left(process: LogitsProcessor, probabilities: readonly number[] = likely): number[] {
  const logits = logitsOf(probabilities);
  const out = processed(process, logits);
  return out.flatMap((logit, id) => {
    if (logit === none) return [];
    expect(logit).toBe(logits[id]);
    return [id];
  });
}

test('softmax and its logarithm, far from zero too', () => {
  // e^0 : e^ln 3 = 1 : 3
  expect([...softmax(Float32Array.of(100, 100 + Math.log(3)))].map((p) => p.toFixed(4))).toEqual(['0.2500', '0.7500']);
  expect([...softmax(Float32Array.of(-1e30, 0, none))]).toEqual([0, 1, 0]);
  expect(logSoftmax(Float32Array.of(1, 1))[0]).toBeCloseTo(-Math.log(2), 6);
});

describe('what goes by probability', () => {
  test('temperature divides', () => {
    expect(processed(temperature(2), [1, -3, 0])).toEqual([0.5, -1.5, 0]);
  });

  test('the likeliest k; of equals the first', () => {
    expect(left(topK(2))).toEqual([0, 1]);
    expect(left(topK(9))).toEqual([0, 1, 2, 3, 4]);
    expect(left(topK(2), [0.1, 0.3, 0.3, 0.3])).toEqual([1, 2]);
    expect(processed(topK(1), [none, 5, none])).toEqual([none, 5, none]);
  });

  test('the likeliest that have p together', () => {
    // 0.5; 0.5 + 0.2 = 0.7; 0.85; 0.95
    expect(left(topP(0.45))).toEqual([0]);
    expect(left(topP(0.6))).toEqual([0, 1]);
    expect(left(topP(0.8))).toEqual([0, 1, 2]);
    expect(left(topP(0.9), [0.05, 0.1, 0.15, 0.2, 0.5])).toEqual([1, 2, 3, 4]);
    expect(left(topP(1e-9))).toEqual([0]);
    expect(left(topP(1))).toEqual([0, 1, 2, 3, 4]);
  });

  test('those at least p times as likely as the likeliest', () => {
    // 0.5 × 0.25 = 0.125
    expect(left(minP(0.25))).toEqual([0, 1, 2]);
    expect(left(minP(1))).toEqual([0]);
  });

  test('the typical ones', () => {
    // The entropy is 1.3331, so -log p is off by 0.640, 0.276, 0.564, 0.969, 1.663: the order is 1, 2, 0, 3, 4.
    expect(left(typical(0.15))).toEqual([1]);
    expect(left(typical(0.3))).toEqual([1, 2]);
    expect(left(typical(0.8))).toEqual([0, 1, 2]);
    expect(left(typical(0.9))).toEqual([0, 1, 2, 3]);
    const some = processed(typical(0.5), [none, 1, none]);
    expect(some).toEqual([none, 1, none]);
  });

  test('entries are found without sorting, as sorting would', () => {
    const random = seeded(7);
    for (let round = 0; round < 300; round++) {
      const size = 1 + Math.floor(random() * 40);
      // Few values, so that many are equal.
      const keys = Float64Array.from({ length: size }, () => Math.floor(random() * 8));
      if (random() < 0.3) keys[0] = Number.POSITIVE_INFINITY;
      const weights = Array.from({ length: size }, () => Math.floor(random() * 5));
      const mass = Math.floor(random() * 60) + 0.5;
      const order = [...keys.keys()].sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
      const expected = new Uint8Array(size);
      let sum = 0;
      for (const i of order) {
        if (sum >= mass || keys[i] === Number.POSITIVE_INFINITY) break;
        expected[i] = 1;
        sum += weights[i] as number;
      }
      expect(smallestUntil(keys, weights, mass)).toEqual(expected);
    }
  });
});

describe('what goes by the tokens that are there', () => {
  test('repetition makes logits smaller, each once, those of the prompt too', () => {
    expect(processed(repetition(2), [4, -4, 1, 0, 3], [0, 1, 0, 99], 2)).toEqual([2, -8, 1, 0, 3]);
  });

  test('presence counts once, frequency each time, and the prompt never', () => {
    expect(processed(frequency(1, 0.5), [4, 4, 4, 4], [3, 0, 1, 1, 1], 1)).toEqual([2.5, 1.5, 4, 4]);
  });

  test('no run of tokens comes twice', () => {
    // After 1 2 came 3, and after 1 2 again 4: with three in a row neither may come.
    expect(processed(noRepeat(3), [0, 0, 0, 0, 0], [1, 2, 3, 1, 2, 4, 1, 2])).toEqual([0, 0, 0, none, none]);
    expect(processed(noRepeat(2), [0, 0, 0], [1, 0, 1])).toEqual([none, 0, 0]);
    expect(processed(noRepeat(1), [0, 0, 0], [2, 0])).toEqual([none, 0, none]);
    expect(processed(noRepeat(4), [0, 0], [1, 1])).toEqual([0, 0]);
  });

  test('bad words lose their last token where the others were said', () => {
    const process = badWords([[1], [0, 2], [3, 3, 0], []]);
    expect(processed(process, [0, 0, 0, 0], [3, 0])).toEqual([0, none, none, 0]);
    expect(processed(process, [0, 0, 0, 0], [3, 3])).toEqual([none, none, 0, 0]);
    expect(processed(process, [0, 0, 0, 0], [])).toEqual([0, none, 0, 0]);
  });
});

describe('the choice', () => {
  test('the likeliest, of equals the first', () => {
    expect(likeliest(Float32Array.of(1, 3, none, 3))).toBe(1);
    expect(likeliest(Float32Array.of(Number.NaN, -3))).toBe(1);
  });

  test('nothing to choose from is an error', () => {
    for (const choose of [likeliest, (logits: Float32Array) => draw(logits, () => 0)]) {
      expect(() => choose(Float32Array.of(none, none))).toThrow('No token is left');
      expect(() => choose(Float32Array.of(1, Number.POSITIVE_INFINITY))).toThrow('Infinity');
    }
    expect(() => draw(Float32Array.of(1, Number.NaN), () => 0)).toThrow('NaN');
  });

  test('a number of [0, 1) falls on a token', () => {
    const logits = logitsOf([0.25, 0.5, 0, 0.25]);
    const at = (value: number) => draw(logits, () => value);
    expect([0, 0.24, 0.26, 0.74, 0.76, 0.9999999].map(at)).toEqual([0, 0, 1, 1, 3, 3]);
  });

  test('draws come as often as they are likely', () => {
    const random = seeded(1);
    const counts = Array<number>(5).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const id = draw(logitsOf(likely), random);
      counts[id] = (counts[id] as number) + 1;
    }
    counts.forEach((count, id) => {
      expect(Math.abs(count / 20_000 - (likely[id] as number))).toBeLessThan(0.015);
    });
  });

  test('a seed gives the numbers of xoshiro128**', () => {
    const first = (seed: number) => {
      const random = seeded(seed);
      return Array.from({ length: 4 }, () => random() * 2 ** 32);
    };
    expect(first(0)).toEqual([3809008728, 1133695204, 53579671, 2891528803]);
    expect(first(42)).toEqual([2837322924, 544945897, 479756282, 3500138142]);
    expect(first(2 ** 32 - 1)).toEqual([835879718, 1921286648, 2356205009, 1885780724]);
  });
});

describe('options', () => {
  test('tokens are drawn when something says how', () => {
    expect(draws({})).toBe(false);
    expect(draws({ temperature: 0, topK: 5 })).toBe(false);
    for (const options of [{ temperature: 0.7 }, { topK: 5 }, { topP: 0.9 }, { minP: 0.1 }, { typicalP: 0.9 }]) {
      expect(draws(options)).toBe(true);
    }
  });

  test('penalties come before processors of the caller, and these before what goes by probability', () => {
    const seen: number[][] = [];
    const chain = processorsOf(
      { repetitionPenalty: 2, temperature: 4, topK: 1, processors: [(logits) => void seen.push([...logits])] },
      undefined,
    );
    const logits = Float32Array.of(8, 6);
    for (const process of chain) process(logits, { ids: [0], promptLength: 1 });
    expect(seen).toEqual([[4, 6]]);
    expect([...logits]).toEqual([none, 1.5]);
    expect(processorsOf({ repetitionPenalty: 1, topK: 3, temperature: 0 }, undefined)).toEqual([]);
  });

  test('bad words are ruled out at a beginning and after a space', () => {
    const tokenizer = { encode: (text: string) => (text === 'no' ? [1] : [2, 3]), decode: () => '' };
    const [process] = processorsOf({ badWords: ['no', [0]] }, tokenizer);
    expect(processed(process as LogitsProcessor, [0, 0, 0, 0], [2])).toEqual([none, none, 0, none]);
    expect(() => processorsOf({ badWords: ['no'] }, undefined)).toThrow('Text needs a tokenizer');
    expect(() => processorsOf({ badWords: ['x'] }, { encode: () => [], decode: () => '' })).toThrow('no tokens');
  });
});

test('a guess is what came after the same ending, the longest and latest', () => {
  expect(lookUp([1, 2, 3, 9, 1, 2, 4, 8, 1, 2], 3)).toEqual([4, 8, 1]);
  expect(lookUp([7, 1, 2, 5, 0, 1, 2, 6, 7, 1, 2], 2)).toEqual([5, 0]);
  expect(lookUp([1, 2, 3], 5)).toEqual([]);
  expect(lookUp([4, 4], 5)).toEqual([4]);
  expect(lookUp([1, 2, 1], 0)).toEqual([]);
});
