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

const dataTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 };
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 };

const tensorProto = (name, type, dims, data) =>
  message(
    dims.map((dim) => integer(1, dim)),
    integer(2, dataTypes[type]),
    bytes(8, name),
    bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
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
  #domains = new Set(['']);

  constructor(seed) {
    this.random = mulberry32(seed);
  }

  /**
   * Adds a node and returns its first output. `outputs` says how many there are, or what each is called: '' is left out,
   * undefined gets a name. The operator of another domain than ONNX's is written "com.microsoft.Gelu".
   */
  node(operator, inputs, attributes = {}, outputs = 1) {
    return this.nodes(operator, inputs, attributes, outputs)[0];
  }

  /** The same with the names of all outputs. */
  nodes(operator, inputs, attributes, outputs) {
    const index = this.#nodes.length;
    const given = typeof outputs === 'number' ? Array(outputs).fill() : outputs;
    const names = given.map((name, i) => name ?? `v${index}${i === 0 ? '' : `_${i}`}`);
    const list = Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value)));
    const end = operator.lastIndexOf('.');
    const [domain, type] = [operator.slice(0, Math.max(0, end)), operator.slice(end + 1)];
    this.#domains.add(domain);
    this.#nodes.push(
      message(
        inputs.map((input) => bytes(1, input)),
        names.map((output) => bytes(2, output)),
        bytes(3, `${type.toLowerCase()}_${index}`),
        bytes(4, type),
        list,
        domain === '' ? [] : bytes(7, domain),
      ),
    );
    return names;
  }

  /** A float32 weight drawn evenly from centre ± spread. */
  weight(dims, spread, centre = 0) {
    const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
    for (let i = 0; i < data.length; i++) data[i] = centre + (2 * this.random() - 1) * spread;
    return this.constant('float32', dims, data);
  }

  scalar(value) {
    return this.constant('float32', [], Float32Array.of(value));
  }

  integers(values) {
    return this.constant('int64', [values.length], BigInt64Array.from(values, BigInt));
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
    const opsets = [...this.#domains].map((domain) =>
      bytes(8, message(bytes(1, domain), integer(2, domain === '' ? opset : 1))),
    );
    return message(integer(1, 8), bytes(2, 'neuromancer models/bench'), bytes(7, graph), opsets);
  }

  constant(type, dims, data) {
    const name = `w${this.#weights.length}`;
    this.#weights.push(tensorProto(name, type, dims, data));
    return name;
  }
}

/** Numbers evenly spread over [0, 1), of 32 bits of state. */
export function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
