// The artefact as it ships: what it imports, what it exports, how large it is, and that it starts anywhere.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { build, memory64, size, start, threads } from './module.mjs';

const { NM_SIZE_BUDGET: budget } = process.env;
const bytes = readFileSync(`${build}/neuromancer.wasm`);
const module = new WebAssembly.Module(bytes);

test('a single-threaded artefact imports nothing, a threaded one its memory', () => {
  const memory = { module: 'env', name: memory64 ? 'memory64' : 'memory', kind: 'memory' };
  assert.deepEqual(WebAssembly.Module.imports(module), threads ? [memory] : []);
});

test('the C ABI is exported', () => {
  const header = readFileSync(new URL('../../engine/c_api.h', import.meta.url), 'utf8');
  const single = header.replace(/#if defined\(__wasm_atomics__\)[\s\S]*?#endif/g, '');
  const declared = [...(threads ? header : single).matchAll(/^NM_EXPORT .*?\b(nm_\w+)\(/gm)].map((m) => m[1]);
  assert.ok(declared.length > 10);
  const exported = WebAssembly.Module.exports(module).map((entry) => entry.name);
  assert.deepEqual(
    declared.filter((name) => !exported.includes(name)),
    [],
  );
});

test('the size is within the budget', () => {
  assert.ok(bytes.length <= Number(budget), `${bytes.length} bytes, budget ${budget}`);
});

test('it starts and says what it is', async () => {
  const { exports, memory } = await start(module);
  const heap = new Uint8Array(memory.buffer);
  const begin = Number(exports.nm_build_info());
  const info = JSON.parse(new TextDecoder().decode(heap.slice(begin, heap.indexOf(0, begin))));
  assert.equal(info.threads, threads);
  assert.equal(info.artefact.startsWith('wasm64'), memory64);
  assert.ok(info.operators > 0);
});

test('running out of memory is an answer, not a trap', async () => {
  const { exports } = await start(module, 128);
  assert.equal(exports.nm_alloc(size(0xfff00000)), size(0));
  const block = exports.nm_alloc(size(1000));
  assert.ok(block > 0 && Number(block) % 64 === 0);
  exports.nm_free(block);
});
