// The tarball as npm would publish it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { built } from './places.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'neuromancer-'));
let tarball: Uint8Array<ArrayBuffer>;
let files: string[];

beforeAll(() => {
  const arguments_ = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const said = JSON.parse(execFileSync('npm', arguments_, { cwd: root, encoding: 'utf8' }));
  // A list, and since npm 12 an object by name.
  const [packed] = Object.values<{ filename: string; files: { path: string }[] }>(said);
  if (packed === undefined) throw new Error('npm pack has packed nothing');
  tarball = new Uint8Array(readFileSync(join(folder, packed.filename)));
  files = packed.files.map(({ path }) => path);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('has what a package needs', () => {
  expect(files).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.js.map']),
  );
  expect(files.filter((path) => !/^(dist\/|src\/|LICENSE$|README\.md$|package\.json$)/.test(path))).toEqual([]);
});

test('has the sources that its source maps name', () => {
  const maps = files.filter((path) => path.endsWith('.js.map'));
  expect(maps.length).toBeGreaterThan(10);
  for (const path of maps) {
    const { sources } = JSON.parse(readFileSync(join(root, path), 'utf8')) as { sources: string[] };
    // What is inside single.js is no text that anybody would read.
    const named = sources.filter((source) => !source.startsWith('neuromancer:'));
    expect(files).toEqual(expect.arrayContaining(named.map((source) => join('dist', source))));
  }
});

/**
 * The most bytes, unpacked, of what has no artefact inside: what it has, and a little. The five artefacts and single.js,
 * with one of them compressed, are as large as the engine is (NM_SIZE_BUDGET).
 */
const most = 1_970_000;

test('keeps its budget', () => {
  const rest = files.filter((path) => !/\.wasm$|single\.js$/.test(path));
  const bytes = rest.reduce((sum, path) => sum + statSync(join(root, path)).size, 0);
  expect(bytes).toBeLessThan(most);
});

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const texts = messages.map((message) => formatMessage(message, manifest) ?? message.code);
  // Artefacts that were not built.
  const absent = (text: string) => {
    const [, artefact] = /neuromancer-([\w-]+)\.wasm.*does not exist/.exec(text) ?? [];
    return artefact !== undefined && !built(artefact);
  };
  expect(texts.filter((text) => !absent(text))).toEqual([]);
});

test('types are found wherever the code is', async () => {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  expect(result.types).toBeTruthy();
  // A package of modules: require() of one needs Node 20.19 or 22.12, and TypeScript's resolution "node10" knows no exports.
  const kinds = new Set(['node10', 'node16-cjs']);
  const problems = 'problems' in result ? result.problems : [];
  const found = problems.filter((problem) => !('resolutionKind' in problem && kinds.has(problem.resolutionKind)));
  expect(found).toEqual([]);
});
