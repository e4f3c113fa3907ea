// transformers.js, unmodified, on this engine and on onnxruntime-web:
//   node run.ts [--write]      prints the table of tasks; --write puts it into docs/transformers.md
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findBrowser, startChromium } from '../browser/drivers.ts';
import { isolation, serve } from '../bundlers/server.ts';
import { difference } from './compare.ts';
import { applications, models, site } from './materials.ts';

interface Outcome {
  result?: unknown;
  error?: string;
  milliseconds?: number;
  progress?: number;
}
type Outcomes = Record<string, Outcome>;

const { values: options } = parseArgs({ options: { write: { type: 'boolean', default: false } } });

const folder = models();
const { beside, instead } = applications();

function inNode(runtime: string, app = beside, times = 1): Outcomes {
  const args = ['in-node.js', runtime, `${folder}/`, String(times)];
  const text = execFileSync(process.execPath, args, { cwd: app, encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(text);
}

/** Both in turn, so that what else the machine does slows neither alone; the best time of each. */
function inTurn(runtimes: readonly string[]): Outcomes[] {
  const turns = Array.from({ length: 3 }, () => runtimes.map((runtime) => inNode(runtime, beside, 20)));
  return runtimes.map((_, which) => {
    const [first = {}, ...others] = turns.map((turn) => turn[which] as Outcomes);
    const best = (name: string, milliseconds = 0) =>
      Math.min(milliseconds, ...others.map((each) => each[name]?.milliseconds ?? milliseconds));
    return Object.fromEntries(
      Object.entries(first).map(([name, each]) =>
        each.milliseconds === undefined
          ? [name, each]
          : [name, { ...each, milliseconds: best(name, each.milliseconds) }],
      ),
    );
  });
}

async function inChromium(pages: readonly string[]): Promise<{ results: Outcomes; cached: number }[]> {
  const path = findBrowser('NM_CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome']);
  if (path === undefined) throw new Error('no Chromium is here; NM_CHROMIUM names one');
  const [server, browser] = [await serve(site(beside, folder), isolation), await startChromium(path)];
  try {
    const all = [];
    for (const page of pages) {
      await browser.open(server.url + page);
      const begun = Date.now();
      for (;;) {
        const text = await browser.evaluate<string | undefined>('globalThis.results && JSON.stringify(results)');
        if (text !== undefined) {
          all.push(JSON.parse(text));
          break;
        }
        if (Date.now() - begun > 300_000) throw new Error(`${page}: no result; ${browser.errors.join('; ')}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    return all;
  } finally {
    await browser.close();
    server.close();
  }
}

const [theirs = {}, ours = {}] = inTurn(['onnxruntime-web', 'neuromancer']);
const hosts: Record<string, Outcomes> = { Node: ours, overrides: inNode('overrides', instead) };
const [page, worker, plain] = await inChromium(['index.html', 'index.html?worker', 'plain.html']);
Object.assign(hosts, { page: page?.results, worker: worker?.results, 'one import': plain?.results });

const counts = { passed: 0, failed: 0 };
const rows = Object.entries(theirs).map(([name, expected]) => {
  const cells = Object.entries(hosts).map(([host, outcomes]) => {
    const actual = outcomes[name] ?? { error: 'not run' };
    const wrong =
      expected.error ??
      actual.error ??
      difference(actual.result, expected.result) ??
      ((actual.progress ?? 0) > 0 ? undefined : 'nobody was told of the progress');
    counts[wrong === undefined ? 'passed' : 'failed'] += 1;
    if (wrong !== undefined) console.log(`FAILED ${name} (${host}): ${wrong}`);
    return wrong === undefined ? 'same' : '**differs**';
  });
  const times = [expected, hosts.Node?.[name]].map((outcome) => outcome?.milliseconds?.toFixed(1) ?? '–');
  return `| ${[name, ...cells, ...times].join(' | ')} |`;
});
if ([page, worker, plain].some((host) => (host?.cached ?? 0) === 0)) {
  counts.failed += 1;
  console.log('FAILED: the browser cache of transformers.js is empty');
} else counts.passed += 1;

const head = ['task', ...Object.keys(hosts), 'onnxruntime-web, ms', 'Neuromancer, ms'];
const table = [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows].join('\n');
console.log(`\n${table}\n`);
if (options.write) {
  const file = new URL('../../docs/transformers.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/(<!-- table -->\n)[\s\S]*(<!-- end -->)/, `$1\n${table}\n\n$2`));
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed > 0 ? 1 : 0);
