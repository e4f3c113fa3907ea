// The measured graphs as .tflite models: the same weights, pictures channels last, every shape fixed.
import protobuf from 'protobufjs';
import schema from '../../models/onnx/schema.json' with { type: 'json' };
import { readGraph } from './onnx-graph.mjs';
import { converters, folded } from './tflite-operators.mjs';
import { TfliteWriter } from './tflite-writer.mjs';

/** Works from the output backwards: what a fused operator has swallowed is never asked for. */
class Conversion {
  #graph;
  #writer = new TfliteWriter();
  #makers;
  #values = new Map();

  constructor(graph) {
    this.#graph = graph;
    this.#makers = new Map(graph.nodes.map((node) => [node.output[0], node]));
  }

  /** Feeds give the inputs' dimensions; integers become int32. */
  model(feeds) {
    const inputs = this.#graph.inputs.map((name) => {
      const { dims: given, type } = feeds[name];
      const dims = given.length === 4 ? [0, 2, 3, 1].map((axis) => given[axis]) : given;
      const input = { dims, type: type === 'int64' ? 'int32' : type };
      const tensor = this.#writer.tensor({ name, ...input });
      this.#values.set(name, { tensor, ...input });
      return tensor;
    });
    return this.#writer.model(inputs, [this.value(this.#graph.output).tensor]);
  }

  /** The node that makes a value, if it is an `op`. */
  made(name, op) {
    const node = this.#makers.get(name);
    return node?.op === op ? node : undefined;
  }

  /** Weights, and what follows from fixed shapes: { data, dims }. */
  known(name) {
    const node = this.#makers.get(name);
    return node ? folded[node.op]?.(this, node) : this.#graph.weights.get(name);
  }

  /** A value in the model: { tensor, dims, type }. */
  value(name) {
    if (!this.#values.has(name)) {
      const known = this.known(name);
      this.#values.set(name, known ? this.constant(known) : this.convert(this.#makers.get(name)));
    }
    return this.#values.get(name);
  }

  convert(node, activation) {
    const converter = converters[node.op];
    if (!converter) throw new Error(`no ${node.op} for LiteRT here`);
    return converter(this, node, activation);
  }

  constant({ data, dims }) {
    const [type, array] = data instanceof Float32Array ? ['float32', data] : ['int32', Int32Array.from(data)];
    return { tensor: this.#writer.tensor({ dims, type, data: array }), dims, type };
  }

  /** Adds an operator; the result has `dims`. */
  add(operator, inputs, dims, options, type = 'float32') {
    const output = this.#writer.tensor({ dims, type });
    const tensors = inputs.map(({ tensor }) => tensor);
    this.#writer.operator(operator, tensors, output, options);
    return { tensor: output, dims, type };
  }
}

export function toTflite(bytes, feeds) {
  return new Conversion(readGraph(protobuf, schema, bytes)).model(feeds);
}
