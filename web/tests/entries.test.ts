// The files that package.json promises, as the build leaves them.
import { existsSync, readFileSync } from 'node:fs';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, test } from 'vitest';
import { built } from './places.js';

const root = new URL('../', import.meta.url);
const { exports, dependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

/** What an entry imports beside itself. */
const imports: Record<string, string[]> = {
  'ort.js': ['onnxruntime-common'],
  'transformers.js': ['./ort.js'],
  'workerd.js': ['./neuromancer-wasm-relaxed.wasm'],
};

const files = Object.values<string | Record<string, string>>(exports)
  .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
  // What has an artefact inside or is one needs it to be built.
  .filter((file) => !/\.wasm$|single\.js$/.test(file) || built('wasm-relaxed-threads'));

describe.each([...new Set(files)])('%s', (file) => {
  const url = new URL(file, root);

  test('is there', () => expect(existsSync(url)).toBe(true));

  if (!file.endsWith('.js')) return;
  test('is one minified file with a source map', () => {
    const code = readFileSync(url, 'utf8');
    const name = file.replace('./dist/', '');
    const found = parseAst(code).body.flatMap((each) => ('source' in each && each.source ? [each.source.value] : []));
    expect([...new Set(found)]).toEqual(imports[name] ?? []);
    expect(code.trim().split('\n').length).toBeLessThan(name === 'single.js' ? 20 : 5);
    expect(existsSync(new URL(`${file}.map`, root))).toBe(true);
  });
});

test('what an entry imports of other packages is a dependency', () => {
  const packages = Object.values(imports)
    .flat()
    .filter((name) => !name.startsWith('.'));
  expect(Object.keys(dependencies)).toEqual(packages);
});
