// Engines side by side in a browser: round by round in fresh pages, the order turning, the same model and inputs,
// results compared before any time counts.
//   node run.mjs --graphs DIR [--real DIR] [--browser chromium|firefox|webkit]
//                [--peer onnxruntime-web|tfjs-wasm|litert] [--models a,b] [--threads 1,2]
//                [--rounds 5] [--runs 200] [--budget 2000] [--artefact NAME] [--json FILE]
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openBrowser } from './browser.mjs';
import { models } from './models.mjs';
import { median } from './numbers.mjs';
import { realModels } from './real-models.mjs';
import { toTflite } from './tflite.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const { values: options } = parseArgs({
  options: {
    graphs: { type: 'string' },
    real: { type: 'string' },
    browser: { type: 'string', default: 'chromium' },
    peer: { type: 'string', default: 'onnxruntime-web' },
    models: { type: 'string' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '200' },
    budget: { type: 'string', default: '2000' },
    artefact: { type: 'string' },
    json: { type: 'string' },
  },
});
if (!options.graphs && !options.real)
  throw new Error('--graphs DIR is missing: the folder that models/export_bench wrote');

// What is measured: the graphs that are drawn here, or with --real the models of a folder.
const measured = options.real
  ? realModels(options.real)
  : Object.fromEntries(
      Object.entries(models).map(([name, feeds]) => [name, { file: join(options.graphs, `${name}.onnx`), feeds }]),
    );
const names = options.models ? options.models.split(',') : Object.keys(measured);
// Quantised models round: a last bit there is more than all of float32's error.
const tolerance = options.real ? 5e-2 : 1e-3;

const { peer } = options;
const places = {
  '/models/': '',
  '/onnx/': join(root, 'models/onnx/'),
  '/tflite/': join(root, 'build/tflite/'),
  '/web/': join(root, 'web/'),
  '/node_modules/': join(here, 'node_modules/'),
  '/': `${here}/`,
};

function fileOf(path) {
  const [prefix, folder] = Object.entries(places).find(([p]) => path.startsWith(p));
  const rest = path.slice(prefix.length);
  if (prefix !== '/models/') return join(folder, rest);
  const [model, part] = rest.split('/');
  const { file } = measured[model];
  return part ? join(dirname(file), part) : file;
}

// The largest difference relative to the largest magnitude of the peer's output.
function difference(ours, theirs) {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  theirs.forEach((their, o) => {
    const our = ours[o];
    if (our.dims.join() !== their.dims.join()) worst = Number.POSITIVE_INFINITY;
    const scale = their.data.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-30);
    their.data.forEach((v, i) => {
      if (v === our.data[i] || (Number.isNaN(v) && Number.isNaN(our.data[i]))) return;
      worst = Math.max(worst, typeof v === 'string' ? 1 : Math.abs(v - our.data[i]) / scale);
    });
  });
  return worst;
}

// Where the page finds a model; for LiteRT it is converted, once, by whoever asks first.
const converted = new Set();
function modelFor(engine, name) {
  if (engine !== 'litert') return `/models/${name}`;
  if (!converted.has(name)) {
    const { file, feeds } = measured[name];
    const model = toTflite(readFileSync(file), feeds);
    mkdirSync(places['/tflite/'], { recursive: true });
    writeFileSync(join(places['/tflite/'], `${name}.tflite`), model);
    converted.add(name);
  }
  return `/tflite/${name}.tflite`;
}

const browser = await openBrowser(options.browser, '/engines.mjs', fileOf);

const rows = [];
const refusals = [];
try {
  for (const threads of options.threads.split(',').map(Number)) {
    for (const name of names) {
      const setting = {
        feeds: measured[name].feeds,
        external: measured[name].external ?? [],
        threads,
        artefact: options.artefact,
        runs: Number(options.runs),
        budgetMs: Number(options.budget),
      };
      const results = { neuromancer: [], [peer]: [] };
      let worst;
      let refusal;
      for (let round = 0; round < Number(options.rounds) && !refusal; round++) {
        const order = Object.keys(results);
        if (round % 2) order.reverse();
        for (const engine of order) {
          try {
            const model = modelFor(engine, name);
            results[engine].push(await browser.inFreshPage({ ...setting, engine, model, keepOutputs: round === 0 }));
          } catch (error) {
            refusal ??= `${engine}: ${error.message.split('\n')[0]}`;
          }
        }
        if (round > 0 || refusal) continue;
        worst = difference(results.neuromancer[0].outputs, results[peer][0].outputs);
        if (!(worst < tolerance)) refusal = `the engines disagree by ${worst}; times would mean nothing`;
      }
      if (refusal) {
        console.log(`${name.padEnd(24)} ${refusal}`);
        refusals.push({ model: name, threads, refusal });
        continue;
      }
      const of = (engine, what) => median(results[engine].map(what));
      const row = {
        model: name,
        threads,
        artefact: results.neuromancer[0].label,
        difference: worst,
        load: of('neuromancer', (r) => r.load),
        first: of('neuromancer', (r) => r.first),
        median: of('neuromancer', (r) => median(r.times)),
        memory: of('neuromancer', (r) => r.memory) / 2 ** 20,
        peerMemory: of(peer, (r) => r.memory) / 2 ** 20,
        peerLoad: of(peer, (r) => r.load),
        peerFirst: of(peer, (r) => r.first),
        peerMedian: of(peer, (r) => median(r.times)),
        ratio: median(results.neuromancer.map((r, i) => median(results[peer][i].times) / median(r.times))),
      };
      rows.push(row);
      console.log(
        `${name.padEnd(24)} ${threads} thread${threads > 1 ? 's' : ' '}  ${row.median.toFixed(2).padStart(8)} ms  ` +
          `${peer} ${row.peerMedian.toFixed(2).padStart(8)} ms  ratio ${row.ratio.toFixed(2)}  (difference ${worst.toExponential(1)})`,
      );
    }
  }
} finally {
  browser.close();
}

const ms = (value) => value.toFixed(value < 10 ? 2 : 1);
console.log(
  `\n${browser.name}, ${cpus()[0].model}, ${options.rounds} rounds; times in ms, WebAssembly memory in MiB\n`,
);
console.log(
  `| model | threads | artefact | load | first run | median | memory | ${peer}: load | first run | median | memory | ratio |`,
);
console.log('|---|---|---|---|---|---|---|---|---|---|---|---|');
for (const r of rows) {
  const ours = [r.load, r.first, r.median, r.memory].map(ms);
  const theirs = [r.peerLoad, r.peerFirst, r.peerMedian, r.peerMemory].map(ms);
  const cells = [r.model, r.threads, r.artefact, ...ours, ...theirs, `**${r.ratio.toFixed(2)}**`];
  console.log(`| ${cells.join(' | ')} |`);
}
for (const threads of new Set(rows.map((r) => r.threads))) {
  const ratios = rows.filter((r) => r.threads === threads).map((r) => r.ratio);
  const mean = Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length);
  console.log(`\nGeometric mean at ${threads} thread${threads > 1 ? 's' : ''}: ${mean.toFixed(2)}`);
}
for (const { model, threads, refusal } of refusals) console.log(`Not compared: ${model} (${threads}): ${refusal}`);
if (options.json)
  writeFileSync(options.json, `${JSON.stringify({ browser: browser.name, rows, refusals }, null, 1)}\n`);

// For `history.mjs`.
const commit = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).trim();
mkdirSync(join(root, 'bench/results'), { recursive: true });
const record = {
  commit,
  date: new Date().toISOString(),
  browser: browser.name,
  processor: cpus()[0].model,
  peer,
  rows,
};
appendFileSync(join(root, 'bench/results/peers.jsonl'), `${JSON.stringify(record)}\n`);
