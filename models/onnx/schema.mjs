// schema.json: ONNX's published schema (onnx-ml.proto, onnx-data.proto) as protobufjs keeps it.
//   NM_PREFIX=… node models/onnx/schema.mjs && npm run format
// writes the file; tests/tools/onnx-schema.test.mjs fails when it is not what the schema says.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, env } from 'node:process';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export const target = new URL('schema.json', import.meta.url);

/** The file's content, made of the schema in this folder. */
export function generated(folder) {
  const root = new protobuf.Root();
  for (const name of ['onnx-ml.proto', 'onnx-data.proto']) {
    protobuf.parse(readFileSync(join(folder, name), 'utf8'), root, { keepCase: true });
  }
  return root.resolveAll().toJSON();
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  if (!env.NM_PREFIX) throw new Error('NM_PREFIX names no folder: give the one that ./dev toolchain prints.');
  writeFileSync(target, JSON.stringify(generated(join(env.NM_PREFIX, 'onnx')), undefined, 2));
}
