// Reads the graphs that models/export_bench writes, for peers that do not read ONNX; in the page and in Node.

const int64 = 7;

function weight({ dims, data_type, raw_data }) {
  const { buffer } = new Uint8Array(raw_data);
  const data = data_type === int64 ? Array.from(new BigInt64Array(buffer), Number) : new Float32Array(buffer);
  return { data, dims: dims.map(Number) };
}

/**
 * Nodes: { op, input, output, attribute }; weights by name: { data, dims }, integers as plain numbers. `schema` is
 * models/onnx/schema.json.
 */
export function readGraph(protobuf, schema, bytes) {
  const Model = protobuf.Root.fromJSON(schema).lookupType('onnx.ModelProto');
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
