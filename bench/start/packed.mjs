// What loading takes from an ONNX file and from its packed form, in milliseconds of the processor: the first load of a
// fresh process, whose functions are compiled as they are called, and the least of later ones. The module is compiled.
//   node packed.mjs MODEL.onnx… [--rounds 7]
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Session } from '../../web/dist/index.js';
import { pack } from '../../web/dist/pack.js';
import { files } from './subjects.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' }, once: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const script = fileURLToPath(import.meta.url);

const besides = (path) =>
  Object.fromEntries(
    readdirSync(dirname(path))
      .filter((name) => name !== basename(path) && /\.(bin|data|weights|onnx_data)$/.test(name))
      .map((name) => [name, readFileSync(join(dirname(path), name))]),
  );

async function loads(path, count) {
  const wasm = await WebAssembly.compile(readFileSync(files.engine));
  const bytes = readFileSync(path);
  const externalData = path.endsWith('.nm') ? {} : besides(path);
  const times = [];
  for (let i = 0; i < count; i++) {
    const begin = process.cpuUsage();
    const session = await Session.load(bytes, { wasm, threads: 1, externalData });
    const { user, system } = process.cpuUsage(begin);
    times.push((user + system) / 1000);
    await session.release();
  }
  return times;
}

if (values.once) {
  console.log((await loads(positionals[0], 1))[0]);
  process.exit();
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const first = (path) =>
  median(
    Array.from({ length: rounds }, () =>
      Number(execFileSync(process.execPath, [script, '--once', path], { encoding: 'utf8' })),
    ),
  );
const kilobytes = (path) => (readFileSync(path).length / 1000).toFixed(0);

console.log('| model | nodes | kB, ONNX | packed | first load, ONNX | packed | later loads, ONNX | packed |');
console.log('|---|---|---|---|---|---|---|---|');
for (const onnx of positionals.filter(existsSync)) {
  const name = basename(onnx) === 'model.onnx' ? basename(dirname(onnx)) : basename(onnx, '.onnx');
  const packed = join(tmpdir(), `${name}.nm`);
  writeFileSync(packed, await pack(readFileSync(onnx), { externalData: besides(onnx) }));
  const session = await Session.load(readFileSync(packed), { artefact: 'wasm', threads: 1 });
  const cells = [
    first(onnx),
    first(packed),
    Math.min(...(await loads(onnx, rounds))),
    Math.min(...(await loads(packed, rounds))),
  ];
  const row = [name, session.model.nodes, kilobytes(onnx), kilobytes(packed), ...cells.map((ms) => ms.toFixed(1))];
  console.log(`| ${row.join(' | ')} |`);
  await session.release();
}
process.exit();
