import type { Tensor, ValueInfo } from 'neuromancer';
import { describe, expect, test } from 'vitest';
import { type Choices, openDimensions, randomFeeds, scalars } from '../src/inspect/random.ts';

const choices = (sizes: Record<string, number> = {}, values: Record<string, number> = {}): Choices => ({
  sizes: new Map(Object.entries(sizes)),
  values: new Map(Object.entries(values)),
});

const speech: ValueInfo[] = [
  { name: 'input', type: 'float32', shape: [null, null] },
  { name: 'state', type: 'float32', shape: [2, null, 128] },
  { name: 'sr', type: 'int64', shape: [] },
];
const decoder: ValueInfo[] = [
  { name: 'ids', type: 'int64', shape: ['batch', 'sequence'] },
  { name: 'mask', type: 'int64', shape: ['batch', 'past + sequence'] },
  { name: 'past', type: 'float16', shape: ['batch', 4, 'past', 8] },
  { name: 'longer', type: 'float32', shape: ['past + 1'] },
];

describe('sizes', () => {
  test('without a name are one for each place', () => {
    expect(openDimensions(speech)).toEqual(['input, axis 0', 'input, axis 1', 'state, axis 1']);
    const { input, state } = randomFeeds(speech, choices({ 'input, axis 1': 512, 'state, axis 1': 3 }));
    expect([input?.shape, state?.shape]).toEqual([
      [1, 512],
      [2, 3, 128],
    ]);
  });

  test('that are sums follow from their parts', () => {
    expect(openDimensions(decoder)).toEqual(['batch', 'sequence', 'past']);
    const { mask, past, longer } = randomFeeds(decoder, choices({ batch: 2, sequence: 3, past: 5 }));
    expect([mask?.shape, past?.shape, longer?.shape]).toEqual([[2, 8], [2, 4, 5, 8], [6]]);
  });

  test('that are totals are the past and what is new', () => {
    const gpt2: ValueInfo[] = [
      { name: 'ids', type: 'int32', shape: ['batch_size', 'seq_len'] },
      { name: 'mask', type: 'int32', shape: ['batch_size', 'total_seq_len'] },
      { name: 'past', type: 'float32', shape: [2, 'batch_size', 4, 'past_seq_len', 8] },
    ];
    expect(openDimensions(gpt2)).toEqual(['batch_size', 'seq_len', 'past_seq_len']);
    expect(randomFeeds(gpt2, choices({ seq_len: 3, past_seq_len: 4 })).mask?.shape).toEqual([1, 7]);
    expect(openDimensions(gpt2.slice(0, 2))).toEqual(['batch_size', 'seq_len', 'total_seq_len']);
  });

  test('beyond what a page holds are refused at once', () => {
    expect(() => randomFeeds(speech, choices({ 'input, axis 0': 1e6, 'input, axis 1': 1e6 }))).toThrow(
      'has 1,000,000,000,000 elements',
    );
  });
});

test('single numbers can be given', () => {
  expect(scalars(speech)).toEqual(['sr']);
  expect(randomFeeds(speech, choices({}, { sr: 16000 })).sr?.data).toEqual(BigInt64Array.of(16000n));
  const [value] = (randomFeeds(speech, choices()).sr as Tensor<'int64'>).data;
  expect([0n, 1n]).toContain(value);
});

test.each(['float16', 'bfloat16', 'float64', 'bool', 'uint8', 'int32', 'uint64', 'string'])('%s', (type) => {
  const { x } = randomFeeds([{ name: 'x', type, shape: [3] }], choices());
  expect(x).toMatchObject({ type, shape: [3] });
});

test('other types are named', () => {
  expect(() => randomFeeds([{ name: 'x', type: 'complex64', shape: [1] }], choices())).toThrow('"x" is a complex64');
});
