// What the engine's memory has grown to, which never shrinks: the weights and what a run needs, not the file beside them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { GraphWriter } from '../../models/bench/onnx-writer.mjs';

const { NM_BUILD: build, NM_THREADS: threads } = process.env;
const layers = 12;
const size = 512;

function model() {
  const graph = new GraphWriter(1);
  let value = 'input';
  for (let i = 0; i < layers; ++i) value = graph.node('MatMul', [value, graph.weight([size, size], 0.05)]);
  const port = (name) => ({ name, type: 'float32', dims: [1, size] });
  return graph.model('products', [port('input')], [port(value)]);
}

for (const known of [true, false]) {
  test(`a model is loaded in little more than its weights, its length ${known ? '' : 'not '}known`, () => {
    const imported =
      threads === 'ON' ? new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true }) : undefined;
    const module = new WebAssembly.Module(readFileSync(`${build}/neuromancer.wasm`));
    const { exports } = new WebAssembly.Instance(module, imported ? { env: { memory: imported } } : {});
    const memory = imported ?? exports.memory;
    exports._initialize();
    const before = memory.buffer.byteLength;
    const file = model();
    const piece = exports.nm_alloc(65536);
    const coming = exports.nm_new_model(known ? file.length : 0);
    for (let at = 0; at < file.length; at += 65536) {
      const part = file.subarray(at, at + 65536);
      new Uint8Array(memory.buffer, piece, part.length).set(part);
      assert.equal(exports.nm_model_bytes(coming, piece, part.length), 0);
    }
    exports.nm_free(piece);
    const session = exports.nm_load(coming, 0);
    assert.notEqual(session, 0);
    const weights = layers * size * size * 4;
    const grown = memory.buffer.byteLength - before;
    assert.ok(grown < 1.25 * weights, `${grown} bytes for ${weights} bytes of weights`);
    exports.nm_release(session);
  });
}
