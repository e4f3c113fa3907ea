// Writes .tflite models: the few tables of TensorFlow Lite's schema that the converter here needs, each field at its
// place in the schema (an empty place keeps the default).
import { Builder } from 'flatbuffers';

// A field writes what it refers to, then is put into its table: children come before parents in a flatbuffer.
const inline = (method) => (value) => (builder) => (slot) => builder[method](slot, value, null);
const int8 = inline('addFieldInt8');
const int32 = inline('addFieldInt32');
const float32 = inline('addFieldFloat32');
const child = (write) => (builder) => {
  const offset = write(builder);
  return (slot) => builder.addFieldOffset(slot, offset, 0);
};
const vector = (items, add) => (builder) => {
  builder.startVector(4, items.length, 4);
  for (const item of items.toReversed()) builder[add](item);
  return builder.endVector();
};

function write(builder, fields) {
  const put = fields.map((field) => field?.(builder));
  builder.startObject(fields.length);
  put.forEach((field, slot) => {
    field?.(slot);
  });
  return builder.endObject();
}

const string = (text) => child((builder) => builder.createString(text));
const ints = (values) => child(vector(values, 'addInt32'));
const table = (fields) => child((builder) => write(builder, fields));
const tables = (list) =>
  child((builder) =>
    vector(
      list.map((fields) => write(builder, fields)),
      'addOffset',
    )(builder),
  );
const bytes = (data) =>
  child((builder) => {
    builder.prep(16, data.byteLength); // the schema's alignment, which kernels count on
    return builder.createByteVector(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });

const tensorTypes = { float32: 0, int32: 2 };
const activations = { relu: 1, relu6: 3 };
const activation = (options) => int8(activations[options.activation] ?? 0);
const window = ({ same, stride }) => [int8(same ? 0 : 1), int32(stride), int32(stride)];

/** By name: the operator's code, its options' place in the union, and the options' fields from plain values. */
const operators = {
  ADD: [0, 11, (o) => [activation(o)]],
  CONV_2D: [3, 1, (o) => [...window(o), activation(o)]],
  DEPTHWISE_CONV_2D: [4, 2, (o) => [...window(o), int32(1), activation(o)]],
  FULLY_CONNECTED: [9, 8, (o) => [activation(o), undefined, int8(1)]],
  MAX_POOL_2D: [17, 5, (o) => [...window(o), int32(o.kernel), int32(o.kernel)]],
  MUL: [18, 21, () => []],
  RESHAPE: [22, 17, ({ dims }) => [ints(dims)]],
  SOFTMAX: [25, 9, () => [float32(1)]],
  PAD: [34, 22, () => []],
  GATHER: [36, 23, () => []],
  TRANSPOSE: [39, 26, () => []],
  MEAN: [40, 27, ({ keepDims }) => [int8(keepDims ? 1 : 0)]],
  SUB: [41, 28, () => []],
  DIV: [42, 29, () => []],
  CAST: [53, 37, ({ from, to }) => [int8(tensorTypes[from]), int8(tensorTypes[to])]],
  SQRT: [75],
  SQUARE: [92],
  BATCH_MATMUL: [126, 101, () => []],
  GELU: [150, 116, () => []],
};

/** A model that is written operator by operator; tensors are their numbers. */
export class TfliteWriter {
  #buffers = [[]]; // the first one is empty: what is computed
  #tensors = [];
  #codes = [];
  #steps = [];

  /** A value that is computed or, with data, known. */
  tensor({ dims, type, data, name = `t${this.#tensors.length}` }) {
    const buffer = data ? this.#buffers.push([bytes(data)]) - 1 : 0;
    return this.#tensors.push([ints(dims), int8(tensorTypes[type]), int32(buffer), string(name)]) - 1;
  }

  /** Adds an operator that makes one tensor. */
  operator(name, inputs, output, options = {}) {
    const [code, union, fields] = operators[name];
    if (!this.#codes.includes(code)) this.#codes.push(code);
    const place = int32(this.#codes.indexOf(code));
    this.#steps.push([place, ints(inputs), ints([output]), ...(union ? [int8(union), table(fields(options))] : [])]);
  }

  /** The model as bytes. */
  model(inputs, outputs) {
    const builder = new Builder(1024);
    const codes = this.#codes.map((code) => [undefined, undefined, undefined, int32(code)]);
    const graph = [tables(this.#tensors), ints(inputs), ints(outputs), tables(this.#steps)];
    const fields = [int32(3), tables(codes), tables([graph]), undefined, tables(this.#buffers)];
    builder.finish(write(builder, fields), 'TFL3');
    return builder.asUint8Array();
  }
}
