// A language model in the two forms that pages meet, with the shape of SmolLM-135M and random weights: what it writes means
// nothing, and takes as long as the real one does.
import { GraphWriter } from './onnx-writer.mjs';

/** Of a model of Llama's kind: `layers` of `width`, `heads` of queries that share `kvHeads` of keys and values. */
export const smollm = { layers: 30, width: 576, heads: 9, kvHeads: 3, inner: 1536, words: 49152, positions: 4096 };

const epsilon = 1e-5;
const block = 32;

class DecoderWriter extends GraphWriter {
  constructor(seed, shape) {
    super(seed);
    this.shape = shape;
    this.perHead = shape.width / shape.heads;
    this.norms = this.constant('float32', [shape.width], new Float32Array(shape.width).fill(1));
  }

  /** Whole numbers from -limit to limit; times `scale` they have the variance that keeps a product of k as it is. */
  codes(count, limit) {
    const codes = new Int8Array(count);
    for (let i = 0; i < count; i++) codes[i] = Math.floor(this.random() * (2 * limit + 1)) - limit;
    return codes;
  }

  scaleOf(k, limit) {
    return Math.sqrt(3 / (k * limit * (limit + 1)));
  }

  cacheNames(layer) {
    return ['key', 'value'].map((part) => [`past_key_values.${layer}.${part}`, `present.${layer}.${part}`]);
  }

  /** Inputs and outputs beside the first ones, and the model. */
  decoder(name, inputs, opset) {
    const { layers, kvHeads, words } = this.shape;
    const ports = (at, length) =>
      Array.from({ length: layers }, (_, layer) => this.cacheNames(layer).map((names) => names[at]))
        .flat()
        .map((port) => ({ name: port, type: 'float32', dims: ['batch_size', kvHeads, length, this.perHead] }));
    const logits = { name: 'logits', type: 'float32', dims: ['batch_size', 'sequence_length', words] };
    return this.model(
      name,
      [...inputs, ...ports(0, 'past_sequence_length')],
      [logits, ...ports(1, 'total_sequence_length')],
      opset,
    );
  }

  angles() {
    const half = this.perHead / 2;
    return Array.from({ length: half }, (_, i) => 1 / 10000 ** (i / half));
  }
}

const integers = (name, ...dims) => ({ name, type: 'int64', dims });
const ids = integers('input_ids', 'batch_size', 'sequence_length');
const mask = integers('attention_mask', 'batch_size', 'total_sequence_length');
const positions = integers('position_ids', 'batch_size', 'sequence_length');

/** As onnxruntime-genai's model builder writes it: grouped attention in one node, weights of 4 bits in blocks of 32. */
export function decoderOfFourBits() {
  const g = new DecoderWriter(8, smollm);
  const { layers, width, heads, kvHeads, inner, words } = smollm;
  const { perHead } = g;
  const microsoft = (operator) => `com.microsoft.${operator}`;

  const linear = (x, k, n, name) => {
    const codes = g.codes(n * k, 7);
    const packed = Uint8Array.from(
      { length: codes.length / 2 },
      (_, i) => codes[2 * i] + 8 + ((codes[2 * i + 1] + 8) << 4),
    );
    const scales = new Float32Array((n * k) / block).fill(g.scaleOf(k, 7));
    const weights = [
      g.constant('uint8', [n, k / block, block / 2], packed),
      g.constant('float32', [n, k / block], scales),
    ];
    const attributes = { K: k, N: n, bits: 4, block_size: block, accuracy_level: 4 };
    return g.node(microsoft('MatMulNBits'), [x, ...weights], attributes, [name]);
  };
  const skipNorm = (x, skip, last) =>
    g.nodes(
      microsoft('SkipSimplifiedLayerNormalization'),
      [x, skip, g.norms],
      { epsilon: { float: epsilon } },
      last ? 1 : [undefined, '', '', undefined],
    );
  const count = g.node('ReduceSum', ['attention_mask', g.integers([1])]);
  const lengths = g.node('Cast', [g.node('Sub', [count, g.integers([1])])], { to: 6 });
  const extent = g.node('Gather', [g.node('Shape', ['attention_mask']), g.constant('int64', [], BigInt64Array.of(1n))]);
  const total = g.node('Cast', [extent], { to: 6 });
  const table = (f) => {
    const angles = g.angles();
    const values = Array.from({ length: smollm.positions }, (_, p) => angles.map((angle) => f(p * angle)));
    return g.constant('float32', [smollm.positions, angles.length], Float32Array.from(values.flat()));
  };
  const [cosines, sines] = [table(Math.cos), table(Math.sin)];

  let root = g.node('Gather', [g.weight([words, width], 0.5), 'input_ids']);
  let x = g.node('SimplifiedLayerNormalization', [root, g.norms], { axis: -1, epsilon: { float: epsilon } });
  for (let layer = 0; layer < layers; layer++) {
    const [[pastKey, key], [pastValue, value]] = g.cacheNames(layer);
    const packed = linear(x, width, (heads + 2 * kvHeads) * perHead);
    const attended = g.node(
      microsoft('GroupQueryAttention'),
      [packed, '', '', pastKey, pastValue, lengths, total, cosines, sines],
      { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1, scale: { float: 1 / Math.sqrt(perHead) } },
      [undefined, key, value],
    );
    [x, , , root] = skipNorm(root, linear(attended, width, width), false);
    const gate = linear(x, width, inner);
    const opened = g.node('Mul', [gate, g.node('Sigmoid', [gate])]);
    const hidden = g.node('Mul', [opened, linear(x, width, inner)]);
    [x, , , root] = skipNorm(root, linear(hidden, inner, width), layer + 1 === layers);
  }
  linear(x, width, words, 'logits');
  return g.decoder('smollm-q4', [ids, mask], 14);
}

/** As optimum exports it with torch and onnxruntime quantises it: all in pieces, products of 8-bit integers. */
export function decoderOfEightBits() {
  const g = new DecoderWriter(9, smollm);
  const { layers, width, heads, kvHeads, inner, words } = smollm;
  const { perHead } = g;
  const half = perHead / 2;
  const index = (value) => g.constant('int64', [], BigInt64Array.of(BigInt(value)));
  const unsqueeze = (x, ...axes) => g.node('Unsqueeze', [x, g.integers(axes)]);
  const list = (...parts) =>
    g.node(
      'Concat',
      parts.map((part) => (typeof part === 'number' ? g.integers([part]) : unsqueeze(part, 0))),
      { axis: 0 },
    );
  const dimension = (x, axis) => g.node('Gather', [g.node('Shape', [x]), index(axis)], { axis: 0 });

  const quantized = new Map();
  const linear = (x, k, n, name) => {
    if (!quantized.has(x)) quantized.set(x, g.nodes('DynamicQuantizeLinear', [x], {}, 3));
    const [bytes, scale, zero] = quantized.get(x);
    const weights = g.constant('int8', [k, n], g.codes(k * n, 127));
    const sums = g.node('MatMulInteger', [bytes, weights, zero, g.constant('int8', [], new Int8Array(1))]);
    const both = g.node('Mul', [scale, g.scalar(g.scaleOf(k, 127))]);
    return g.node('Mul', [g.node('Cast', [sums], { to: 1 }), both], {}, [name]);
  };
  const norm = (x) => {
    const mean = g.node('ReduceMean', [g.node('Pow', [x, g.scalar(2)])], { axes: [-1], keepdims: 1 });
    const deviation = g.node('Sqrt', [g.node('Add', [mean, g.scalar(epsilon)])]);
    return g.node('Mul', [g.norms, g.node('Mul', [x, g.node('Div', [g.scalar(1), deviation])])]);
  };

  const [batch, length, past, total] = [
    dimension('input_ids', 0),
    dimension('input_ids', 1),
    dimension('past_key_values.0.key', 2),
    dimension('attention_mask', 1),
  ];
  const lowest = g.scalar(-3.4028234663852886e38);
  const places = unsqueeze(g.node('Range', [past, g.node('Add', [past, length]), index(1)]), 1);
  const later = g.node('Greater', [unsqueeze(g.node('Range', [index(0), total, index(1)]), 0), places]);
  const causal = unsqueeze(g.node('Where', [later, lowest, g.scalar(0)]), 0, 1);
  const padding = g.node('Equal', [unsqueeze('attention_mask', 1, 2), index(0)]);
  const hidden = g.node('Where', [padding, lowest, causal]);

  const angles = g.constant('float32', [1, half, 1], Float32Array.from(g.angles()));
  const wide = g.node('Expand', [angles, list(batch, half, 1)]);
  const turns = g.node(
    'Transpose',
    [g.node('MatMul', [wide, g.node('Cast', [unsqueeze('position_ids', 1)], { to: 1 })])],
    {
      perm: [0, 2, 1],
    },
  );
  const both = g.node('Concat', [turns, turns], { axis: -1 });
  const [cosines, sines] = ['Cos', 'Sin'].map((f) => unsqueeze(g.node(f, [both]), 1));
  const rotate = (x) => {
    const part = (from, to) => g.node('Slice', [x, ...[from, to, 3, 1].map((value) => g.integers([value]))]);
    const turned = g.node('Concat', [g.node('Neg', [part(half, perHead)]), part(0, half)], { axis: -1 });
    return g.node('Add', [g.node('Mul', [x, cosines]), g.node('Mul', [turned, sines])]);
  };
  const split = (x, count) =>
    g.node('Transpose', [g.node('Reshape', [x, list(batch, length, count, perHead)])], { perm: [0, 2, 1, 3] });
  const repeat = (x) => {
    const many = g.node('Expand', [unsqueeze(x, 2), list(batch, kvHeads, heads / kvHeads, total, perHead)]);
    return g.node('Reshape', [many, list(batch, heads, total, perHead)]);
  };
  const scale = g.scalar(perHead ** -0.25);

  const table = g.constant('int8', [words, width], g.codes(words * width, 127));
  const row = [g.node('Gather', [table, 'input_ids']), g.scalar(0.5 / 127), g.constant('int8', [], new Int8Array(1))];
  let x = g.node('DequantizeLinear', row);
  for (let layer = 0; layer < layers; layer++) {
    const normed = norm(x);
    const query = rotate(split(linear(normed, width, width), heads));
    const [key, value] = [0, 1].map(() => split(linear(normed, width, kvHeads * perHead), kvHeads));
    const caches = g.cacheNames(layer);
    const [keys, values] = [rotate(key), value].map((now, i) =>
      repeat(g.node('Concat', [caches[i][0], now], { axis: 2 }, [caches[i][1]])),
    );
    const turned = g.node('Mul', [g.node('Transpose', [keys], { perm: [0, 1, 3, 2] }), scale]);
    const scores = g.node('Add', [g.node('MatMul', [g.node('Mul', [query, scale]), turned]), hidden]);
    const mixed = g.node('MatMul', [g.node('Softmax', [scores], { axis: -1 }), values]);
    const joined = g.node('Reshape', [
      g.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
      list(batch, length, width),
    ]);
    x = g.node('Add', [x, linear(joined, width, width)]);
    const second = norm(x);
    const gate = linear(second, width, inner);
    const opened = g.node('Mul', [gate, g.node('Sigmoid', [gate])]);
    x = g.node('Add', [x, linear(g.node('Mul', [opened, linear(second, width, inner)]), inner, width)]);
  }
  linear(norm(x), width, words, 'logits');
  return g.decoder('smollm-int8', [ids, mask, positions], 14);
}
