// Reads the graphs that models/export_bench writes, for peers that do not read ONNX; in the page and in Node.

const schema = `
  syntax = "proto2";
  message Tensor { repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9; }
  message Attribute { optional string name = 1; optional int64 i = 3; repeated int64 ints = 8; }
  message Node { repeated string input = 1; repeated string output = 2; optional string op_type = 4; repeated Attribute attribute = 5; }
  message Value { optional string name = 1; }
  message Graph { repeated Node node = 1; repeated Tensor initializer = 5; repeated Value input = 11; repeated Value output = 12; }
  message Model { optional Graph graph = 7; }
`;
const int64 = 7;

function weight({ dims, data_type, raw_data }) {
  const { buffer } = new Uint8Array(raw_data);
  const data = data_type === int64 ? Array.from(new BigInt64Array(buffer), Number) : new Float32Array(buffer);
  return { data, dims: dims.map(Number) };
}

/** Nodes: { op, input, output, attribute }; weights by name: { data, dims }, integers as plain numbers. */
export function readGraph(protobuf, bytes) {
  const Model = protobuf.parse(schema, { keepCase: true }).root.lookupType('Model');
  const { graph } = Model.decode(bytes);
  return {
    inputs: graph.input.map(({ name }) => name),
    output: graph.output[0].name,
    weights: new Map(graph.initializer.map((tensor) => [tensor.name, weight(tensor)])),
    nodes: graph.node.map(({ op_type: op, input, output, attribute }) => ({
      op,
      input,
      output,
      attribute: Object.fromEntries(
        attribute.map(({ name, i, ints }) => [name, ints.length ? ints.map(Number) : Number(i)]),
      ),
    })),
  };
}
