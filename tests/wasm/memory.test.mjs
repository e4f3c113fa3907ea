// What the engine's memory has grown to, which never shrinks: the weights and what a run needs, not the file beside them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { GraphWriter } from '../../models/bench/onnx-writer.mjs';
import { build, size, start } from './module.mjs';

const layers = 12;
const width = 512;

function model() {
  const graph = new GraphWriter(1);
  let value = 'input';
  for (let i = 0; i < layers; ++i) value = graph.node('MatMul', [value, graph.weight([width, width], 0.05)]);
  const port = (name) => ({ name, type: 'float32', dims: [1, width] });
  return graph.model('products', [port('input')], [port(value)]);
}

for (const known of [true, false]) {
  test(`a model is loaded in little more than its weights, its length ${known ? '' : 'not '}known`, async () => {
    const { exports, memory } = await start(new WebAssembly.Module(readFileSync(`${build}/neuromancer.wasm`)));
    const before = memory.buffer.byteLength;
    const file = model();
    const piece = exports.nm_alloc(size(65536));
    const coming = exports.nm_new_model(size(known ? file.length : 0));
    for (let at = 0; at < file.length; at += 65536) {
      const part = file.subarray(at, at + 65536);
      new Uint8Array(memory.buffer, Number(piece), part.length).set(part);
      assert.equal(exports.nm_model_bytes(coming, piece, size(part.length)), 0);
    }
    exports.nm_free(piece);
    const session = exports.nm_load(coming, 0);
    assert.notEqual(session, size(0));
    const weights = layers * width * width * 4;
    const grown = memory.buffer.byteLength - before;
    assert.ok(grown < 1.25 * weights, `${grown} bytes for ${weights} bytes of weights`);
    exports.nm_release(session);
  });
}
