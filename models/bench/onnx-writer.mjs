// Writes ONNX models: what the exporters here need of them.
import { encoded, numberOf } from '../onnx/messages.ts';

const dataTypes = { float32: 'FLOAT', uint8: 'UINT8', int8: 'INT8', int32: 'INT32', int64: 'INT64' };
const dataType = (name) => numberOf('TensorProto.DataType', dataTypes[name]);

const valueInfo = ({ name, type, dims }) => {
  const dim = dims.map((each) => (typeof each === 'string' ? { dim_param: each } : { dim_value: each }));
  return { name, type: { tensor_type: { elem_type: dataType(type), shape: { dim } } } };
};

/** A whole number, a list of them, a string, or { float: x } for a real number. */
const attributeProto = (value) => {
  if (Array.isArray(value)) return { type: 'INTS', ints: value };
  if (typeof value === 'string') return { type: 'STRING', s: Buffer.from(value) };
  return typeof value === 'number' ? { type: 'INT', i: value } : { type: 'FLOAT', f: value.float };
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
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...attributeProto(value) }));
    const end = operator.lastIndexOf('.');
    const [domain, type] = [operator.slice(0, Math.max(0, end)), operator.slice(end + 1)];
    this.#domains.add(domain);
    this.#nodes.push({
      input: inputs,
      output: names,
      name: `${type.toLowerCase()}_${index}`,
      op_type: type,
      attribute,
      ...(domain === '' ? {} : { domain }),
    });
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
    const graph = {
      node: this.#nodes,
      name,
      initializer: this.#weights,
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
    };
    const opset_import = [...this.#domains].map((domain) => ({ domain, version: domain === '' ? opset : 1 }));
    return encoded('ModelProto', { ir_version: 8, producer_name: 'neuromancer models/bench', graph, opset_import });
  }

  constant(type, dims, data) {
    const name = `w${this.#weights.length}`;
    const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#weights.push({ dims, data_type: dataType(type), name, raw_data });
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
