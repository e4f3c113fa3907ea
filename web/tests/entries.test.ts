// The files that package.json promises, as the build leaves them.
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, test } from 'vitest';
import { built } from './places.js';

const root = new URL('../', import.meta.url);
const { exports, dependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

/** What an entry imports beside itself, at once. */
const imports: Record<string, string[]> = {
  'ort.js': ['onnxruntime-common'],
  'transformers.js': ['./ort.js'],
  'workerd.js': ['./neuromancer-wasm-relaxed.wasm'],
  'workers-beside.js': ['./index.js'],
};

/** What an entry imports when it is needed, in the literal form that bundlers look for. Not all hosts allow that. */
const loads: Record<string, string[]> = { 'index.js': ['"./workers-beside.js"'] };

/**
 * The most bytes that an entry may have after gzip: what it has, and a few of a hundred. Whoever adds something says here
 * what it costs, and whoever saves something takes the budget down. The aim for index.js is 15,360; docs/package.md has what
 * its bytes are.
 */
const budgets: Record<string, number> = {
  'index.js': 18_690,
  'workers-beside.js': 5_740,
  'workerd.js': 17_970,
  'bundled.js': 18_010,
  'bundle.js': 17_310,
  'ort.js': 27_800,
  'transformers.js': 600,
  'pack.js': 12_050,
  'stream.js': 7_010,
  'generate.js': 14_220,
  'image.js': 5_800,
  'decode.js': 3_700,
  'audio.js': 3_250,
  'download.js': 4_600,
  'compare.js': 6_700,
  'worker.js': 18_130,
  'thread.js': 500,
  // With the engine inside, in base64.
  'single.js': 620_000,
};

const files = Object.values<string | Record<string, string>>(exports)
  .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
  // What has an artefact inside or is one needs it to be built.
  .filter((file) => !/\.wasm$|single\.js$/.test(file) || built('wasm-relaxed-threads'));

/** What index.js loads when a session asks for workers or threads. */
const later = './dist/workers-beside.js';

describe.each([...new Set(files), later])('%s', (file) => {
  const url = new URL(file, root);

  test('is there', () => expect(existsSync(url)).toBe(true));

  if (!file.endsWith('.js')) return;
  test('is one minified file with a source map', () => {
    const code = readFileSync(url, 'utf8');
    const name = file.replace('./dist/', '');
    const found = parseAst(code).body.flatMap((each) => ('source' in each && each.source ? [each.source.value] : []));
    expect([...new Set(found)]).toEqual(imports[name] ?? []);
    const dynamic = [...code.matchAll(/\bimport\((["`][^)$]*)\)/g)].map(([, from]) => from);
    expect(dynamic).toEqual(loads[name] ?? []);
    expect(code.trim().split('\n').length).toBeLessThan(name === 'single.js' ? 20 : 5);
    expect(existsSync(new URL(`${file}.map`, root))).toBe(true);
  });

  test('keeps its budget', () => {
    expect(gzipSync(readFileSync(url), { level: 9 }).length).toBeLessThanOrEqual(
      budgets[file.replace('./dist/', '')] ?? 0,
    );
  });
});

test('what an entry imports of other packages is a dependency', () => {
  const packages = Object.values(imports)
    .flat()
    .filter((name) => !name.startsWith('.'));
  expect(Object.keys(dependencies)).toEqual(packages);
});
