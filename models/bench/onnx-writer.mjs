// Writes ONNX models: the few parts of the protobuf format and of ONNX's messages that the exporters here need. Field
// numbers are those of onnx.proto; engine tests read the result back.

const varint = (value) => {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
};

const integer = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);

const bytes = (field, content) => {
  const data = Buffer.from(content);
  return Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
};

const float = (field, value) => {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), data]);
};

const message = (...parts) => Buffer.concat(parts.flat());

const dataTypes = { float32: 1, int64: 7 };
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 };

const tensorProto = (name, type, dims, data) =>
  message(
    dims.map((dim) => integer(1, dim)),
    integer(2, dataTypes[type]),
    bytes(8, name),
    bytes(9, Buffer.from(data.buffer)),
  );

const valueInfo = ({ name, type, dims }) => {
  const shape = dims.map((dim) => bytes(1, typeof dim === 'string' ? bytes(2, dim) : integer(1, dim)));
  const tensorType = message(integer(1, dataTypes[type]), bytes(2, message(shape)));
  return message(bytes(1, name), bytes(2, bytes(1, tensorType)));
};

/** A whole number, a list of them, a string, or { float: x } for a real number. */
const attribute = (name, value) => {
  const [kind, content] = Array.isArray(value)
    ? ['ints', value.map((item) => integer(8, item))]
    : typeof value === 'string'
      ? ['string', bytes(4, value)]
      : typeof value === 'number'
        ? ['int', integer(3, value)]
        : ['float', float(2, value.float)];
  return message(bytes(1, name), content, integer(20, attributeTypes[kind]));
};

/** A graph that is written node by node; values are their names. Weights come from a seeded generator. */
export class GraphWriter {
  #nodes = [];
  #weights = [];
  #state;

  constructor(seed) {
    this.#state = seed;
  }

  /** Adds a node and returns its first output. */
  node(operator, inputs, attributes = {}, outputs = 1) {
    const index = this.#nodes.length;
    const names = Array.from({ length: outputs }, (_, i) => `v${index}${i === 0 ? '' : `_${i}`}`);
    const list = Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value)));
    this.#nodes.push(
      message(
        inputs.map((input) => bytes(1, input)),
        names.map((output) => bytes(2, output)),
        bytes(3, `${operator.toLowerCase()}_${index}`),
        bytes(4, operator),
        list,
      ),
    );
    return names[0];
  }

  /** A float32 weight drawn evenly from centre ± spread. */
  weight(dims, spread, centre = 0) {
    const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
    for (let i = 0; i < data.length; i++) data[i] = centre + (2 * this.#random() - 1) * spread;
    return this.#add('float32', dims, data);
  }

  scalar(value) {
    return this.#add('float32', [], Float32Array.of(value));
  }

  integers(values) {
    return this.#add('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** The model as bytes. Inputs and outputs: { name, type, dims }. */
  model(name, inputs, outputs, opset = 17) {
    const graph = message(
      this.#nodes.map((node) => bytes(1, node)),
      bytes(2, name),
      this.#weights.map((weight) => bytes(5, weight)),
      inputs.map((input) => bytes(11, valueInfo(input))),
      outputs.map((output) => bytes(12, valueInfo(output))),
    );
    const opsetImport = message(bytes(1, ''), integer(2, opset));
    return message(integer(1, 8), bytes(2, 'neuromancer models/bench'), bytes(7, graph), bytes(8, opsetImport));
  }

  #add(type, dims, data) {
    const name = `w${this.#weights.length}`;
    this.#weights.push(tensorProto(name, type, dims, data));
    return name;
  }

  /** Mulberry32: 32 bits of state, evenly spread over [0, 1). */
  #random() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}
