// Models in the forms of language models, small enough to be followed by hand.
import { modelOf, type NodeSpec } from './onnx-writer.js';

/** The size of the vocabulary. */
export const words = 23;

const constant = (name: string, value: number, type = 1): NodeSpec[] => [
  { op: 'Constant', inputs: [], outputs: [`${name}_int`], attributes: { value_ints: [value] } },
  { op: 'Cast', inputs: [`${name}_int`], outputs: [name], attributes: { to: type } },
];
const axes = (name: string, list: number[]): NodeSpec => ({
  op: 'Constant',
  inputs: [],
  outputs: [name],
  attributes: { value_ints: list },
});
const sum = (from: string, to: string): NodeSpec => ({
  op: 'ReduceSum',
  inputs: [from],
  outputs: [to],
  attributes: { keepdims: 0 },
});

/** logits[1,seq,words] that are largest at `code` (float32[1,seq]) modulo the number of words, and fall from there. */
const logitsOf = (code: string, size = words): NodeSpec[] => [
  ...constant('size', size),
  { op: 'Mod', inputs: [code, 'size'], outputs: ['word'], attributes: { fmod: 1 } },
  axes('last', [2]),
  { op: 'Unsqueeze', inputs: ['word', 'last'], outputs: ['word3'] },
  ...['from', 'step'].flatMap((name, i) => [
    { op: 'Constant', inputs: [], outputs: [name], attributes: { value_int: i } },
  ]),
  { op: 'Constant', inputs: [], outputs: ['to'], attributes: { value_int: size } },
  { op: 'Range', inputs: ['from', 'to', 'step'], outputs: ['range_int'] },
  { op: 'Cast', inputs: ['range_int'], outputs: ['range'], attributes: { to: 1 } },
  { op: 'Sub', inputs: ['range', 'word3'], outputs: ['far'] },
  { op: 'Mul', inputs: ['far', 'far'], outputs: ['square'] },
  { op: 'Neg', inputs: ['square'], outputs: ['logits'] },
];

/** 3 × the sum of all tokens up to each one of this run, from a cache that holds them. */
const summed: NodeSpec[] = [
  { op: 'Cast', inputs: ['input_ids'], outputs: ['x'], attributes: { to: 1 } },
  axes('around', [1, 3]),
  { op: 'Unsqueeze', inputs: ['x', 'around'], outputs: ['key'] },
  axes('along', [1]),
  { op: 'CumSum', inputs: ['x', 'along'], outputs: ['running'] },
  ...constant('three', 3),
];

/** As optimum exports a decoder: a cache, a mask and places. A mask or places that are wrong give other words. */
export const decoderOnly = modelOf(
  [
    ...summed,
    { op: 'Concat', inputs: ['past_key_values.0.key', 'key'], outputs: ['present.0.key'], attributes: { axis: 2 } },
    sum('past_key_values.0.key', 'before'),
    { op: 'Add', inputs: ['running', 'before'], outputs: ['total'] },
    { op: 'Mul', inputs: ['total', 'three'], outputs: ['tripled'] },
    { op: 'Cast', inputs: ['position_ids'], outputs: ['place'], attributes: { to: 1 } },
    { op: 'Add', inputs: ['tripled', 'place'], outputs: ['placed'] },
    { op: 'Size', inputs: ['present.0.key'], outputs: ['length'] },
    sum('attention_mask', 'masked'),
    { op: 'Sub', inputs: ['masked', 'length'], outputs: ['wrong_int'] },
    { op: 'Cast', inputs: ['wrong_int'], outputs: ['wrong'], attributes: { to: 1 } },
    { op: 'Add', inputs: ['placed', 'wrong'], outputs: ['code'] },
    ...logitsOf('code'),
  ],
  {
    input_ids: 'int64[batch,seq]',
    attention_mask: 'int64[batch,total]',
    position_ids: 'int64[batch,seq]',
    'past_key_values.0.key': 'float32[batch,1,past_sequence_length,1]',
  },
  { logits: `float32[batch,seq,${words}]`, 'present.0.key': 'float32[batch,1,total_sequence_length,1]' },
);

/** The likeliest word after these tokens. */
export function nextWord(ids: readonly number[]): number {
  return (3 * ids.reduce((total, id) => total + id, 0) + ids.length - 1) % words;
}

/** All its logits. */
export function nextLogits(ids: readonly number[]): number[] {
  return Array.from({ length: words }, (_, word) => -((word - nextWord(ids)) ** 2));
}

/** The same without a cache, and without mask or places, of which it makes its own. */
export const uncached = modelOf(
  [
    ...summed,
    { op: 'Mul', inputs: ['running', 'three'], outputs: ['tripled'] },
    { op: 'Sub', inputs: ['x', 'x'], outputs: ['zero'] },
    ...constant('one', 1),
    { op: 'Add', inputs: ['zero', 'one'], outputs: ['ones'] },
    { op: 'CumSum', inputs: ['ones', 'along'], outputs: ['from_one'] },
    { op: 'Sub', inputs: ['from_one', 'one'], outputs: ['place'] },
    { op: 'Add', inputs: ['tripled', 'place'], outputs: ['code'] },
    ...logitsOf('code'),
  ],
  { input_ids: 'int32[batch,seq]' },
  { logits: `float32[batch,seq,${words}]` },
);

/** The same behind an encoder, of whose output it adds the sum. */
export const uncachedBehind = modelOf(
  [
    ...summed,
    { op: 'Mul', inputs: ['running', 'three'], outputs: ['tripled'] },
    sum('encoder_hidden_states', 'source'),
    { op: 'Add', inputs: ['tripled', 'source'], outputs: ['code'] },
    ...logitsOf('code'),
  ],
  { input_ids: 'int64[batch,seq]', encoder_hidden_states: 'float32[batch,source,size]' },
  { logits: `float32[batch,seq,${words}]` },
);

/** As onnxruntime-genai's builder names what GroupQueryAttention wants: lengths, and logits of the last token only. */
export const withLengths = modelOf(
  [
    ...summed,
    { op: 'Concat', inputs: ['past_key_values.0.key', 'key'], outputs: ['present.0.key'], attributes: { axis: 2 } },
    sum('present.0.key', 'all'),
    { op: 'Mul', inputs: ['all', 'three'], outputs: ['tripled'] },
    { op: 'Size', inputs: ['present.0.key'], outputs: ['length'] },
    ...['seqlens_k', 'past_sequence_length', 'total_sequence_length'].flatMap((name) => [
      { op: 'Cast', inputs: [name], outputs: [`${name}_float`], attributes: { to: 1 } },
    ]),
    // The last place, and nothing where the lengths are right: total - past - tokens, last + 1 - total.
    { op: 'Size', inputs: ['input_ids'], outputs: ['tokens_int'] },
    { op: 'Cast', inputs: ['tokens_int'], outputs: ['tokens'], attributes: { to: 1 } },
    { op: 'Sub', inputs: ['total_sequence_length_float', 'past_sequence_length_float'], outputs: ['new'] },
    { op: 'Sub', inputs: ['new', 'tokens'], outputs: ['wrong'] },
    { op: 'Add', inputs: ['tripled', 'seqlens_k_float'], outputs: ['placed'] },
    { op: 'Add', inputs: ['placed', 'wrong'], outputs: ['code1'] },
    axes('front', [0]),
    { op: 'Unsqueeze', inputs: ['code1', 'front'], outputs: ['code'] },
    ...logitsOf('code'),
  ],
  {
    input_ids: 'int64[batch,seq]',
    seqlens_k: 'int32[1]',
    past_sequence_length: 'int32[1]',
    total_sequence_length: 'int32[]',
    'past_key_values.0.key': 'float32[batch,1,past_sequence_length,1]',
  },
  { logits: `float32[batch,1,${words}]`, 'present.0.key': 'float32[batch,1,total_sequence_length,1]' },
);

const branch = (output: string, type: string, given: NodeSpec[]) => ({
  nodes: given,
  inputs: {},
  outputs: { [output]: type },
});

/**
 * As optimum merges a decoder behind an encoder: the first run computes what it makes of the encoder's output, and later
 * ones, told by `use_cache_branch`, take it from the cache and leave nonsense in its place.
 */
export const merged = modelOf(
  [
    ...summed,
    {
      op: 'Concat',
      inputs: ['past_key_values.0.decoder.key', 'key'],
      outputs: ['present.0.decoder.key'],
      attributes: { axis: 2 },
    },
    sum('past_key_values.0.decoder.key', 'before'),
    { op: 'Add', inputs: ['running', 'before'], outputs: ['total'] },
    { op: 'Mul', inputs: ['total', 'three'], outputs: ['tripled'] },
    axes('one_axis', [1]),
    {
      op: 'If',
      inputs: ['use_cache_branch'],
      outputs: ['cross'],
      attributes: {
        then_branch: branch('cross_then', 'float32', [
          { op: 'Identity', inputs: ['past_key_values.0.encoder.key'], outputs: ['cross_then'] },
        ]),
        else_branch: branch('cross_else', 'float32', [
          { op: 'Unsqueeze', inputs: ['encoder_hidden_states', 'one_axis'], outputs: ['cross_else'] },
        ]),
      },
    },
    {
      op: 'If',
      inputs: ['use_cache_branch'],
      outputs: ['present.0.encoder.key'],
      attributes: {
        then_branch: branch('present_then', 'float32', [
          {
            op: 'Sub',
            inputs: ['past_key_values.0.encoder.key', 'past_key_values.0.encoder.key'],
            outputs: ['present_then'],
          },
        ]),
        else_branch: branch('present_else', 'float32', [
          { op: 'Unsqueeze', inputs: ['encoder_hidden_states', 'one_axis'], outputs: ['present_else'] },
        ]),
      },
    },
    sum('cross', 'source'),
    { op: 'Add', inputs: ['tripled', 'source'], outputs: ['with_source'] },
    { op: 'Size', inputs: ['cross'], outputs: ['length'] },
    sum('encoder_attention_mask', 'masked'),
    { op: 'Sub', inputs: ['masked', 'length'], outputs: ['wrong_int'] },
    { op: 'Cast', inputs: ['wrong_int'], outputs: ['wrong'], attributes: { to: 1 } },
    { op: 'Add', inputs: ['with_source', 'wrong'], outputs: ['code'] },
    ...logitsOf('code'),
  ],
  {
    input_ids: 'int64[batch,seq]',
    encoder_hidden_states: 'float32[batch,source,1]',
    encoder_attention_mask: 'int64[batch,source]',
    'past_key_values.0.decoder.key': 'float32[batch,1,past_decoder_sequence_length,1]',
    'past_key_values.0.encoder.key': 'float32[batch,1,encoder_sequence_length,1]',
    use_cache_branch: 'bool[1]',
  },
  {
    logits: `float32[batch,seq,${words}]`,
    'present.0.decoder.key': 'float32[batch,1,total,1]',
    'present.0.encoder.key': 'float32[batch,1,encoder_sequence_length,1]',
  },
);

/** Each token of the source is a number of its own: twice itself. */
export const encoder = modelOf(
  [
    { op: 'Cast', inputs: ['input_ids'], outputs: ['x'], attributes: { to: 1 } },
    { op: 'Cast', inputs: ['attention_mask'], outputs: ['seen'], attributes: { to: 1 } },
    { op: 'Add', inputs: ['x', 'x'], outputs: ['twice'] },
    { op: 'Mul', inputs: ['twice', 'seen'], outputs: ['masked'] },
    axes('last', [2]),
    { op: 'Unsqueeze', inputs: ['masked', 'last'], outputs: ['last_hidden_state'] },
  ],
  { input_ids: 'int64[batch,source]', attention_mask: 'int64[batch,source]' },
  { last_hidden_state: 'float32[batch,source,1]' },
);

/** The likeliest word of `merged` after these tokens. */
export function nextOfSource(source: readonly number[], ids: readonly number[]): number {
  const total = (list: readonly number[]) => list.reduce((all, id) => all + id, 0);
  return (3 * total(ids) + 2 * total(source)) % words;
}

/** Sees the last token only, and has twice as many words. */
export const forgetful = modelOf(
  [
    { op: 'Cast', inputs: ['input_ids'], outputs: ['x'], attributes: { to: 1 } },
    ...constant('three', 3),
    { op: 'Mul', inputs: ['x', 'three'], outputs: ['code'] },
    ...logitsOf('code', 2 * words),
  ],
  { input_ids: 'int64[batch,seq]' },
  { logits: `float32[batch,seq,${2 * words}]` },
);
