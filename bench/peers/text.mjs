// Language models side by side in one headless Chromium: round by round in fresh pages, the order turning. Engines that
// read the same file must agree on the logits before any time counts.
//   node text.mjs --models DIR [--forms q4,int8] [--engines neuromancer,onnxruntime-web,wllama] [--threads 1,2]
//                 [--rounds 3] [--prompt 128] [--tokens 28] [--pasts 64,128,1024,2048] [--cache float32]
// The cache (float16, int8) is how ours is stored.
import { existsSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { smollm } from '../../models/bench/decoder.mjs';
import { openBrowser } from './browser.mjs';
import { median } from './numbers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    forms: { type: 'string', default: 'q4,int8' },
    engines: { type: 'string', default: 'neuromancer,neuromancer in a worker,onnxruntime-web,wllama' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '3' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '28' },
    pasts: { type: 'string', default: '64,128,1024,2048' },
    cache: { type: 'string', default: 'float32' },
  },
});
if (!options.models) throw new Error('--models DIR is missing: the folder that models/export_bench wrote');

const places = {
  '/models/': options.models,
  '/web/': join(here, '../../web'),
  '/node_modules/': join(here, 'node_modules'),
  '/': here,
};
const browser = await openBrowser('chromium', '/text-engines.mjs', (path) => {
  const [prefix, folder] = Object.entries(places).find(([p]) => path.startsWith(p));
  return join(folder, path.slice(prefix.length));
});

const inWorker = ' in a worker';
const fileOf = (form, engine) => `smollm-${form}.${engine === 'wllama' ? 'gguf' : 'onnx'}`;

function settingOf(form, threads, name) {
  const engine = name.replace(inWorker, '');
  return {
    engine,
    worker: name.endsWith(inWorker),
    file: `/models/${fileOf(form, engine)}`,
    threads,
    prompt: Number(options.prompt),
    tokens: Number(options.tokens),
    pasts: options.pasts.split(',').map(Number),
    words: smollm.words,
    cache: options.cache,
  };
}

/** The largest difference relative to the largest logit. */
function difference(ours, theirs) {
  const scale = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return theirs.reduce((worst, value, i) => Math.max(worst, Math.abs(value - ours[i])), 0) / scale;
}

const names = options.engines.split(',');
const rows = [];
const failures = [];
const started = loadavg()[0];
try {
  for (const form of options.forms.split(',')) {
    for (const threads of options.threads.split(',').map(Number)) {
      const results = Object.fromEntries(names.map((name) => [name, []]));
      const logits = {};
      for (let round = 0; round < Number(options.rounds); round++) {
        for (const name of round % 2 ? names.toReversed() : names) {
          const setting = settingOf(form, threads, name);
          if (!existsSync(join(options.models, fileOf(form, setting.engine)))) {
            throw new Error(`${setting.file} is not there: node models/export_bench.mjs writes it when it is named`);
          }
          try {
            const found = await browser.inFreshPage({ ...setting, keepLogits: round === 0 });
            if (found.logits !== undefined) logits[name] = found.logits;
            results[name].push(found);
          } catch (error) {
            failures.push(`${form}, ${threads} threads, ${name}: ${error.message.split('\n')[0]}`);
          }
        }
      }
      const [first, ...others] = Object.entries(logits);
      for (const [name, other] of others) {
        const worst = difference(first[1], other);
        console.log(
          `${form}, ${threads} threads: logits of ${first[0]} and ${name} differ by ${worst.toExponential(1)}`,
        );
        // Where activations are rounded to 8 bits, a last bit there is more than all of float32's error: onnxruntime with
        // and without its optimisations differs from itself by 6e-2 on the int8 model.
        if (!(worst < 1e-1)) throw new Error('the engines disagree; times would mean nothing');
      }
      for (const name of names) {
        const found = results[name];
        if (found.length === 0) continue;
        const of = (what) => median(found.map(what));
        const step = (past) => found[0].steps[past] && of(({ steps }) => median(steps[past]));
        rows.push({
          form,
          threads,
          name,
          load: of(({ load }) => load),
          prefill: (1000 * Number(options.prompt)) / of(({ prefill }) => Math.min(...prefill)),
          steps: options.pasts.split(',').map((past) => step(past)),
          memory: found[0].memory && of(({ memory }) => memory) / 2 ** 20,
        });
        console.log(JSON.stringify(rows.at(-1)));
      }
    }
  }
} finally {
  browser.close();
}

const pasts = options.pasts.split(',');
const number = (value, digits) => (value === undefined ? '–' : value.toFixed(digits));
const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
console.log(
  `\n${browser.name}, ${cpus().length} × ${cpus()[0].model}, ${options.rounds} rounds, cache ${options.cache}, load ` +
    `${started.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after; medians\n`,
);
line([
  'weights',
  'threads',
  'engine',
  'load, ms',
  `prompt of ${options.prompt}, tokens/s`,
  ...pasts.map((past) => `a token behind ${past}, ms (tokens/s)`),
  'WebAssembly memory, MiB',
]);
line(Array(6 + pasts.length).fill('---'));
for (const { form, threads, name, load, prefill, steps, memory } of rows) {
  const times = steps.map((ms) => (ms === undefined ? '–' : `${ms.toFixed(1)} (${(1000 / ms).toFixed(1)})`));
  line([form, threads, name, number(load, 0), number(prefill, 0), ...times, number(memory, 0)]);
}
for (const failure of failures) console.log(`Not measured: ${failure}`);
