// Real models with the inputs that lie beside them: a folder of NAME/model.onnx and NAME/test_data_set_0/input_*.pb.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeTensor, tensorName } from '../../tests/web-conformance/onnx-data.ts';

function readTensor(file) {
  const proto = readFileSync(file);
  const { type, data, shape: dims } = decodeTensor(proto);
  const values =
    type === 'string'
      ? { strings: data, base64: '' }
      : { base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') };
  return { name: tensorName(proto), feed: { type, dims, ...values } };
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
