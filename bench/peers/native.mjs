// The native build beside onnxruntime-node: one process for each measurement, the order turning.
//   node native.mjs --graphs DIR [--models a,b] [--threads 1,2] [--rounds 5] [--runs 30] [--json FILE]
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { elements, models } from './models.mjs';
import { median } from './numbers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    graphs: { type: 'string' },
    models: { type: 'string', default: Object.keys(models).join(',') },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '30' },
    json: { type: 'string' },
    measure: { type: 'string' }, // internal: this process measures onnxruntime-node on one model
  },
});

async function measureOrt(graph, threads) {
  const ort = await import('onnxruntime-node');
  const session = await ort.InferenceSession.create(join(options.graphs, `${graph}.onnx`), {
    intraOpNumThreads: threads,
    executionMode: 'sequential',
  });
  const feeds = {};
  for (const [name, input] of Object.entries(models[graph])) {
    feeds[name] = new ort.Tensor(input.type, elements(input), input.dims);
  }
  const times = [];
  for (let i = 0; i <= Number(options.runs); i++) {
    const from = performance.now();
    await session.run(feeds);
    if (i > 0) times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}

if (options.measure) {
  console.log(JSON.stringify({ median: await measureOrt(options.measure, Number(options.threads)) }));
  process.exit(0);
}

const json = (command, args) =>
  JSON.parse(execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
const engines = {
  neuromancer: (name, threads) => {
    const shapes = Object.entries(models[name]).map(([input, { dims }]) => ['--shape', `${input}=${dims.join(',')}`]);
    const program = join(here, '../../build/native/neuromancer');
    const model = join(options.graphs, `${name}.onnx`);
    return json(program, [
      'bench',
      model,
      '--json',
      '--threads',
      `${threads}`,
      '--runs',
      options.runs,
      ...shapes.flat(),
    ]).median_ms;
  },
  'onnxruntime-node': (name, threads) => {
    const self = fileURLToPath(import.meta.url);
    const args = [
      self,
      '--measure',
      name,
      '--graphs',
      options.graphs,
      '--threads',
      `${threads}`,
      '--runs',
      options.runs,
    ];
    return json(process.execPath, args).median;
  },
};

const rows = [];
console.log('| model | threads | neuromancer, ms | onnxruntime-node, ms | ratio |\n|---|---|---|---|---|');
for (const threads of options.threads.split(',').map(Number)) {
  for (const name of options.models.split(',')) {
    const times = { neuromancer: [], 'onnxruntime-node': [] };
    for (let round = 0; round < Number(options.rounds); round++) {
      const order = Object.keys(times);
      if (round % 2) order.reverse();
      for (const engine of order) times[engine].push(engines[engine](name, threads));
    }
    const ours = median(times.neuromancer);
    const theirs = median(times['onnxruntime-node']);
    const ratio = median(times.neuromancer.map((t, i) => times['onnxruntime-node'][i] / t));
    rows.push({ model: name, threads, median: ours, peerMedian: theirs, ratio });
    console.log(`| ${name} | ${threads} | ${ours.toFixed(2)} | ${theirs.toFixed(2)} | **${ratio.toFixed(2)}** |`);
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ rows }, null, 1)}\n`);
