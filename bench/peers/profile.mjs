// Where a run's time goes in a browser, by kernel: its share, and how much of what it does in a second.
//   node profile.mjs --graphs DIR [--browser chromium|firefox|webkit] [--models a,b] [--budget 3000] [--artefact NAME]
//                    [--peak GFLOPS] [--least 0.03]
// `--peak` is what a loop of multiplications and additions in registers reaches there (./dev bench --wasm registers).
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openBrowser } from './browser.mjs';
import { models } from './models.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    graphs: { type: 'string' },
    browser: { type: 'string', default: 'chromium' },
    models: { type: 'string', default: Object.keys(models).join(',') },
    budget: { type: 'string', default: '3000' },
    artefact: { type: 'string' },
    peak: { type: 'string' },
    least: { type: 'string', default: '0.03' },
  },
});
if (!options.graphs) throw new Error('--graphs DIR is missing: the folder that models/export_bench wrote');

function fileOf(path) {
  if (path.startsWith('/models/')) return join(options.graphs, `${path.slice(8)}.onnx`);
  return path.startsWith('/web/') ? join(here, '../..', path) : join(here, path);
}

/** Steps of the same kernel as one; those that say nothing of their kernel by their operator. */
function byKernel(steps) {
  const groups = new Map();
  for (const { operator, kernel, flops, bytes, milliseconds } of steps) {
    const name = kernel === '' ? operator : `${operator}, ${kernel}`;
    const group = groups.get(name) ?? { name, steps: 0, flops: 0, bytes: 0, milliseconds: 0 };
    group.steps += 1;
    group.flops += flops;
    group.bytes += bytes;
    group.milliseconds += milliseconds;
    groups.set(name, group);
  }
  return [...groups.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

const browser = await openBrowser(options.browser, '/profile-page.mjs', fileOf);
try {
  for (const name of options.models.split(',')) {
    const feeds = models[name];
    if (feeds === undefined) throw new Error(`no model '${name}'; there are ${Object.keys(models).join(', ')}`);
    const setting = { model: `/models/${name}`, feeds, artefact: options.artefact, budgetMs: Number(options.budget) };
    const { run, artefact, steps } = await browser.inFreshPage(setting);
    const all = steps.reduce((sum, step) => sum + step.milliseconds, 0);
    console.log(`\n${name}, ${browser.name}, ${artefact}: ${run.toFixed(2)} ms, in steps ${all.toFixed(2)}\n`);
    console.log(`| kernel | steps | share | ms | GFLOP/s |${options.peak ? ' of the peak |' : ''} GB/s |`);
    console.log(`|---|---|---|---|---|---|${options.peak ? '---|' : ''}`);
    let rest = { steps: 0, milliseconds: 0 };
    for (const group of byKernel(steps)) {
      if (group.milliseconds < Number(options.least) * all) {
        rest = { steps: rest.steps + group.steps, milliseconds: rest.milliseconds + group.milliseconds };
        continue;
      }
      const rate = group.flops / group.milliseconds / 1e6;
      const flops = rate > 0 ? rate.toFixed(1) : '–';
      const peak = options.peak ? [rate > 0 ? `${((100 * rate) / Number(options.peak)).toFixed(0)} %` : '–'] : [];
      const cells = [flops, ...peak, (group.bytes / group.milliseconds / 1e6).toFixed(1)];
      console.log(`| ${[group.name, group.steps, ...shareOf(group, all), ...cells].join(' | ')} |`);
    }
    console.log(`| all others | ${[rest.steps, ...shareOf(rest, all)].join(' | ')} | | |${options.peak ? ' |' : ''}`);
  }
} finally {
  browser.close();
}

function shareOf({ milliseconds }, all) {
  return [`${((100 * milliseconds) / all).toFixed(0)} %`, milliseconds.toFixed(2)];
}
