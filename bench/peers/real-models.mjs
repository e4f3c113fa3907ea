// Real models with the inputs that lie beside them: a folder of NAME/model.onnx and NAME/test_data_set_0/input_*.pb.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

// The fields of ONNX's TensorProto that test data use.
const { TensorProto } = protobuf.parse(
  `
  syntax = "proto2";
  message TensorProto {
    repeated int64 dims = 1;
    optional int32 data_type = 2;
    repeated float float_data = 4 [packed = true];
    repeated int32 int32_data = 5 [packed = true];
    repeated bytes string_data = 6;
    repeated int64 int64_data = 7 [packed = true];
    optional string name = 8;
    optional bytes raw_data = 9;
  }
`,
  { keepCase: true },
).root.nested;

const types = { 1: 'float32', 2: 'uint8', 3: 'int8', 6: 'int32', 7: 'int64', 9: 'bool', 10: 'float16', 11: 'float64' };

function readTensor(file) {
  const proto = TensorProto.decode(readFileSync(file));
  const type = types[proto.data_type];
  const dims = proto.dims.map(Number);
  let bytes = proto.raw_data;
  if (!bytes.length) {
    if (type === 'float32') bytes = new Uint8Array(Float32Array.from(proto.float_data).buffer);
    else if (type === 'int64')
      bytes = new Uint8Array(BigInt64Array.from(proto.int64_data, (v) => BigInt(v.toString())).buffer);
    else if (type === 'int32') bytes = new Uint8Array(Int32Array.from(proto.int32_data).buffer);
  }
  const strings = proto.data_type === 8 ? proto.string_data.map((s) => Buffer.from(s).toString()) : undefined;
  return {
    name: proto.name,
    feed: { type: strings ? 'string' : type, dims, strings, base64: Buffer.from(bytes).toString('base64') },
  };
}

/** { name: { file, external, feeds } }; external: files beside the model, which hold weights. */
export function realModels(folder) {
  const models = {};
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name, 'model.onnx');
    const data = join(folder, name, 'test_data_set_0');
    if (!existsSync(file) || !existsSync(data)) continue;
    const inputs = readdirSync(data).filter((f) => f.startsWith('input_'));
    const external = readdirSync(join(folder, name), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'model.onnx')
      .map((entry) => entry.name);
    models[name] = {
      file,
      external,
      feeds: Object.fromEntries(
        inputs.map((f) => readTensor(join(data, f))).map(({ name: input, feed }) => [input, feed]),
      ),
    };
  }
  return models;
}
