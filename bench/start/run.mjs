// How long it takes from nothing to the first answer, and what an idle session weighs: every number the median, and in
// brackets the least, of fresh processes, the subjects taking turns.
//   node run.mjs [--rounds 11] [--sessions 1000] [--json FILE]
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { bundle } from '../../web/dist/bundle.js';
import { files, subjects } from './subjects.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '11' },
    sessions: { type: 'string', default: '1000' },
    json: { type: 'string' },
  },
});
const script = fileURLToPath(new URL('measure.mjs', import.meta.url));
const names = Object.keys(subjects);

const node = (...args) => execFileSync(process.execPath, args, { encoding: 'utf8' });
const measure = (what, name, ...more) => JSON.parse(node('--expose-gc', script, what, name, ...more));
/** The median, and the least, which another program's work has disturbed least. */
function spread(times) {
  const sorted = times.toSorted((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)].toFixed(2)} ms (${sorted[0].toFixed(2)})`;
}

function timed(...args) {
  const start = performance.now();
  node(...args);
  return performance.now() - start;
}

mkdirSync(dirname(files.bundle), { recursive: true });
writeFileSync(files.bundle, await bundle(files.model));

// No time counts before all agree on what the model says.
const [expected, ...others] = names.map((name) => measure('answer', name));
for (const answer of others) {
  if (answer.some((value, i) => Math.abs(value - expected[i]) > 1e-4)) throw new Error('the subjects disagree');
}

/** Rows of milliseconds; those that want the module apart are not for a subject that compiles by itself. */
const rows = {
  compile: { label: 'compile the module', apart: false, once: (name) => measure('compile', name) },
  instance: { label: 'a new instance of it', apart: true, once: (name) => measure('instance', name) },
  first: { label: 'session and first answer, module compiled', apart: true, once: (name) => measure('first', name) },
  all: { label: 'compile, session and first answer', apart: false, once: (name) => measure('all', name) },
  process: {
    label: 'process start to answer, over `node -e 0`',
    apart: false,
    once: (name) => timed(script, 'all', name) - timed('-e', '0'),
  },
};
const compiles = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, (await subjects[name]()).compile !== undefined])),
);
const size = (path) => {
  const bytes = readFileSync(path);
  return `${(bytes.length / 1e6).toFixed(2)} MB, ${(gzipSync(bytes).length / 1e3).toFixed(0)} kB with gzip`;
};
const sizes = await Promise.all(names.map(async (name) => size((await subjects[name]()).wasm)));
const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
console.log(`Node ${process.version}, ${cpus()[0].model}, ${new Date().toISOString().slice(0, 10)}`);
line(['', ...names]);
line(['---', ...names.map(() => '---')]);
line(['the .wasm file', ...sizes]);
const results = {};
for (const [row, { label, apart, once }] of Object.entries(rows)) {
  const measured = names.filter((name) => !apart || compiles[name]);
  const times = Object.fromEntries(measured.map((name) => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const name of measured) times[name].push(once(name));
  }
  results[row] = times;
  line([label, ...names.map((name) => (times[name] === undefined ? '–' : spread(times[name])))]);
}
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
const memory = Object.fromEntries(names.map((name) => [name, measure('memory', name, options.sessions)]));
line([`each of ${options.sessions} idle sessions, resident`, ...names.map((name) => kilobytes(memory[name].rss))]);
line([`the same, JavaScript's heap`, ...names.map((name) => kilobytes(memory[name].heap))]);
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ results, memory }));
