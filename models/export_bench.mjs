// Writes the graphs that the benchmarks measure: real architectures with seeded random weights.
//   node models/export_bench.mjs FOLDER [NAME…]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decoderOfEightBits, decoderOfFourBits } from './bench/decoder.mjs';
import { decoderGguf } from './bench/decoder-gguf.mjs';
import { encoder } from './bench/language.mjs';
import { GraphWriter } from './bench/onnx-writer.mjs';
import { convolutionStack, mobilenetV2, resnet50 } from './bench/vision.mjs';

function matrixProduct() {
  const graph = new GraphWriter(6);
  const square = (name) => ({ name, type: 'float32', dims: [1024, 1024] });
  const output = graph.node('MatMul', ['input', graph.weight([1024, 1024], 0.05)]);
  return graph.model('gemm1024', [square('input')], [square(output)]);
}

/** Both directions of 128 units over 100 steps. */
function bidirectionalLstm() {
  const graph = new GraphWriter(7);
  const units = 128;
  const inputs = [
    'input',
    graph.weight([2, 4 * units, units], 0.1),
    graph.weight([2, 4 * units, units], 0.1),
    graph.weight([2, 8 * units], 0.1),
  ];
  const output = graph.node('LSTM', inputs, { hidden_size: units, direction: 'bidirectional' }, 3);
  return graph.model(
    'bilstm',
    [{ name: 'input', type: 'float32', dims: [100, 1, units] }],
    [{ name: output, type: 'float32', dims: [100, 2, 1, units] }],
  );
}

const graphs = {
  mobilenetv2: mobilenetV2,
  resnet50,
  'minilm-l6': () =>
    encoder({ name: 'minilm-l6', seed: 4, layers: 6, width: 384, heads: 12, inner: 1536, words: 2000 }),
  'bert-base': () =>
    encoder({ name: 'bert-base', seed: 5, layers: 12, width: 768, heads: 12, inner: 3072, words: 500 }),
  conv3x3x64: convolutionStack,
  gemm1024: matrixProduct,
  bilstm: bidirectionalLstm,
};

/** Files of 80 to 190 MB, which are written when they are named. */
const large = {
  'smollm-q4.onnx': decoderOfFourBits,
  'smollm-int8.onnx': decoderOfEightBits,
  'smollm-q4.gguf': () => decoderGguf('q4'),
  'smollm-int8.gguf': () => decoderGguf('q8'),
};
const small = Object.fromEntries(Object.entries(graphs).map(([name, make]) => [`${name}.onnx`, make]));
const files = { ...small, ...large };

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) {
  console.error(`usage: node models/export_bench.mjs FOLDER [NAME…]\nnames: ${Object.keys(files).join(', ')}`);
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
for (const name of wanted.length > 0 ? wanted : Object.keys(small)) {
  if (!Object.hasOwn(files, name)) throw new Error(`there is no model "${name}"; there are ${Object.keys(files)}`);
  const model = files[name]();
  writeFileSync(join(folder, name), model);
  console.log(`${name}: ${(model.length / 1e6).toFixed(1)} MB`);
}
