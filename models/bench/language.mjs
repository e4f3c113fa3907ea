// Transformer encoders, in the operators that PyTorch's exporter writes at opset 17 and below: layer normalisation and
// GELU in pieces, batch and sequence length left open.
import { GraphWriter } from './onnx-writer.mjs';

class EncoderWriter extends GraphWriter {
  #width;
  #heads;

  constructor(seed, width, heads) {
    super(seed);
    this.#width = width;
    this.#heads = heads;
  }

  linear(input, from, to) {
    const product = this.node('MatMul', [input, this.weight([from, to], Math.sqrt(3 / from))]);
    return this.node('Add', [product, this.weight([to], 0.1)]);
  }

  layerNorm(input) {
    const mean = (value) => this.node('ReduceMean', [value], { axes: [-1], keepdims: 1 });
    const centred = this.node('Sub', [input, mean(input)]);
    const variance = mean(this.node('Pow', [centred, this.scalar(2)]));
    const deviation = this.node('Sqrt', [this.node('Add', [variance, this.scalar(1e-12)])]);
    const scaled = this.node('Mul', [this.node('Div', [centred, deviation]), this.weight([this.#width], 0.1, 1)]);
    return this.node('Add', [scaled, this.weight([this.#width], 0.1)]);
  }

  gelu(input) {
    const erf = this.node('Erf', [this.node('Div', [input, this.scalar(Math.SQRT2)])]);
    const gate = this.node('Mul', [input, this.node('Add', [erf, this.scalar(1)])]);
    return this.node('Mul', [gate, this.scalar(0.5)]);
  }

  attention(input, mask) {
    const perHead = this.#width / this.#heads;
    const heads = (order) => {
      const projected = this.linear(input, this.#width, this.#width);
      const split = this.node('Reshape', [projected, this.integers([0, 0, this.#heads, perHead])]);
      return this.node('Transpose', [split], { perm: order });
    };
    const [query, key, value] = [heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])];
    const scores = this.node('Div', [this.node('MatMul', [query, key]), this.scalar(Math.sqrt(perHead))]);
    const shares = this.node('Softmax', [this.node('Add', [scores, mask])], { axis: -1 });
    const mixed = this.node('Transpose', [this.node('MatMul', [shares, value])], { perm: [0, 2, 1, 3] });
    const joined = this.node('Reshape', [mixed, this.integers([0, 0, this.#width])]);
    return this.linear(joined, this.#width, this.#width);
  }

  /** Word and position embeddings of `input_ids`; as many positions as there are words. */
  embed(words, positions) {
    const word = this.node('Gather', [this.weight([words, this.#width], 0.5), 'input_ids'], { axis: 0 });
    const shape = this.node('Shape', ['input_ids']);
    const length = this.node('Gather', [shape, this.integers([1])], { axis: 0 });
    const table = this.weight([positions, this.#width], 0.5);
    const position = this.node('Slice', [table, this.integers([0]), length, this.integers([0])]);
    return this.layerNorm(this.node('Add', [word, position]));
  }

  /** 0 where `attention_mask` is 1, the lowest float where it is 0. */
  mask() {
    const wide = this.node('Unsqueeze', ['attention_mask', this.integers([1, 2])]);
    const kept = this.node('Cast', [wide], { to: 1 });
    const lowest = this.scalar(-3.4028234663852886e38);
    return this.node('Mul', [this.node('Sub', [this.scalar(1), kept]), lowest]);
  }
}

/** Vocabularies are cut: looking words up costs nothing, and the files stay small. */
export function encoder({ name, seed, layers, width, heads, inner, words }) {
  const graph = new EncoderWriter(seed, width, heads);
  let value = graph.embed(words, 512);
  const mask = graph.mask();
  for (let layer = 0; layer < layers; layer++) {
    value = graph.layerNorm(graph.node('Add', [graph.attention(value, mask), value]));
    const hidden = graph.gelu(graph.linear(value, width, inner));
    value = graph.layerNorm(graph.node('Add', [graph.linear(hidden, inner, width), value]));
  }
  const ids = (input) => ({ name: input, type: 'int64', dims: ['batch', 'sequence'] });
  const output = { name: value, type: 'float32', dims: ['batch', 'sequence', width] };
  return graph.model(name, [ids('input_ids'), ids('attention_mask')], [output]);
}
