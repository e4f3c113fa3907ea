// How long it takes from nothing to the first answer, and what an idle session weighs. Every number is the median of fresh
// processes, the subjects taking turns: of the processor's time, which other programs disturb little, and of the clock's.
//   node run.mjs [--rounds 11] [--sessions 1000]
// Then the clock alone: pages of fresh browsers, with the graphs of models/export_bench.mjs where they are in build/graphs,
// and hosts from the start of their process.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { root } from '../../tests/hosts/project.ts';
import { bundle } from '../../web/dist/bundle.js';
import { pack } from '../../web/dist/pack.js';
import { browser, firstOutput, ways } from './pages.mjs';
import { processes } from './processes.mjs';
import { files, subjects } from './subjects.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '11' }, sessions: { type: 'string', default: '1000' } },
});
const script = fileURLToPath(new URL('measure.mjs', import.meta.url));
const names = Object.keys(subjects);

const measure = (...args) =>
  JSON.parse(execFileSync(process.execPath, ['--expose-gc', script, ...args], { encoding: 'utf8' }));

mkdirSync(dirname(files.bundle), { recursive: true });
writeFileSync(files.packed, await pack(files.model));
writeFileSync(files.bundle, await bundle(files.model));
const reduced = existsSync(files.reduced);
if (reduced) writeFileSync(files.reducedBundle, await bundle(files.packed, { wasm: files.reduced }));
else console.log('without a reduced engine, which ./dev build component makes\n');

// No time counts before all agree on what the model says.
const [expected, ...others] = names.map((name) => measure('answer', name));
for (const answer of others) {
  if (answer.some((value, i) => Math.abs(value - expected[i]) > 1e-4)) throw new Error('the subjects disagree');
}

const rounds = [];
const nothing = [];
for (let round = 0; round < Number(options.rounds); round++) {
  nothing.push(measure('nothing').process);
  rounds.push(Object.fromEntries(names.map((name) => [name, measure('start', name)])));
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const least = (values) => Math.min(...values);

function spread(times) {
  const [wall, cpu] = [times.map((time) => time.wall), times.map((time) => time.cpu)];
  return { cpu: median(cpu), wall: median(wall), least: least(wall) };
}

/** The processor's median; the clock's median and least. */
function cell(times, less = { cpu: 0, wall: 0, least: 0 }) {
  if (times[0] === undefined) return '–';
  const found = spread(times);
  const [cpu, wall, shortest] = ['cpu', 'wall', 'least'].map((key) => (found[key] - less[key]).toFixed(2));
  return `${cpu} (${wall}, ${shortest})`;
}

const row = (key, less) =>
  names.map((name) =>
    cell(
      rounds.map((times) => times[name][key]),
      less,
    ),
  );
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
const memory = names.map((name) => measure('memory', name, options.sessions));

async function size(name) {
  const bytes = readFileSync((await subjects[name]()).wasm);
  return `${(bytes.length / 1e6).toFixed(2)} MB, ${(gzipSync(bytes).length / 1e3).toFixed(0)} kB`;
}

const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0].model}, ${new Date().toISOString().slice(0, 10)}, ` +
    `${options.rounds} fresh processes for each, load ${loadavg()[0].toFixed(0)}; milliseconds of the processor ` +
    '(of the clock: the median, the least)\n',
);
line(['', ...names]);
line(['---', ...names.map(() => '---')]);
line(['the .wasm file, with gzip', ...(await Promise.all(names.map(size)))]);
line(['compile the module', ...row('compile')]);
line(['a new instance of it', ...row('instance')]);
line(['session and first answer, module compiled', ...row('first')]);
line(['compile, session and first answer', ...row('all')]);
line(['process start to answer, over an empty script', ...row('process', spread(nothing))]);
line([`each of ${options.sessions} idle sessions, resident`, ...memory.map(({ rss }) => kilobytes(rss))]);
line(["the same, JavaScript's heap", ...memory.map(({ heap }) => kilobytes(heap))]);

/** The clock's median and least of what takes turns. */
async function turns(functions) {
  const times = functions.map(() => []);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [i, once] of functions.entries()) times[i].push((await once?.()) ?? Number.NaN);
  }
  return times.map((list) => (Number.isNaN(list[0]) ? '–' : `${median(list).toFixed(0)}, ${least(list).toFixed(0)}`));
}

console.log('\nMilliseconds of the clock: the median, the least\n');
line(['a page, from the import to the first output', ...Object.keys(ways)]);
line(['---', ...Object.keys(ways).map(() => '---')]);
const graphs = join(root, 'build', 'graphs');
const reducedBundle = reduced ? [files.reducedBundle] : [undefined];
const pages = {
  digits: ['image', [1, 1, 28, 28], [files.model, files.packed, files.bundle, ...reducedBundle, files.model]],
  mobilenetv2: [
    'input',
    [1, 3, 224, 224],
    ['onnx', 'nm', 'wasm', undefined, 'onnx'].map((form) => form && join(graphs, `mobilenetv2.${form}`)),
  ],
};
if (existsSync(join(graphs, 'mobilenetv2.onnx'))) {
  const model = readFileSync(join(graphs, 'mobilenetv2.onnx'));
  writeFileSync(join(graphs, 'mobilenetv2.nm'), await pack(model));
  writeFileSync(join(graphs, 'mobilenetv2.wasm'), await bundle(model, { artefact: 'wasm-relaxed' }));
}
for (const [name, [input, dims, paths]] of Object.entries(pages)) {
  const there = browser !== undefined && existsSync(paths[0]);
  const once = Object.keys(ways).map(
    (way, i) => there && paths[i] && (() => firstOutput(way, relative(root, paths[i]), input, dims)),
  );
  if (there) line([name, ...(await turns(once))]);
  else console.log(`${name}: skipped, without ${browser === undefined ? 'Chromium' : paths[0]}`);
}
console.log();
line(['a process, from its start to the first answer', 'milliseconds']);
line(['---', '---']);
const subjectsOfHosts = await processes();
const cells = await turns(Object.values(subjectsOfHosts));
Object.keys(subjectsOfHosts).forEach((name, i) => {
  line([name, cells[i]]);
});
process.exit();
