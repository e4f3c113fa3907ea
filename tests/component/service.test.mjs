// The component of demo/edge: what it wants of a host. What it answers is tested on hosts (tests/hosts).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const build = fileURLToPath(new URL('../../build/reduced-wasm/', import.meta.url));
const require = createRequire(join(build, 'component-tools', 'package.json'));
const tools = pathToFileURL(require.resolve('@bytecodealliance/jco-transpile/wasm-tools')).href;
const { componentWit } = await import(tools);
const wit = await componentWit(readFileSync(join(build, 'digits-component.wasm')));
const named = (what) => [...wit.matchAll(new RegExp(`^  ${what} ([^;]+);`, 'gm'))].map(([, name]) => name).sort();

test('it imports what HTTP takes, and no files, clocks or random numbers', () => {
  assert.deepEqual(named('import'), ['wasi:http/types@0.2.0', 'wasi:io/error@0.2.0', 'wasi:io/streams@0.2.0']);
});

test('it exports the handler of requests', () => {
  assert.deepEqual(named('export'), ['wasi:http/incoming-handler@0.2.0']);
});
