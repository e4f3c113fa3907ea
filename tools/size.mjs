// What the artefact's bytes are spent on: ./dev size. Reads the linker's map, in which functions and data still have
// names and files; the optimiser that comes after the linker takes about a fifth off all of them alike.
import { readFileSync, statSync } from 'node:fs';

const folder = process.argv[2];
const wasm = statSync(`${folder}/neuromancer.wasm`).size;
/** File and symbol → bytes, from lines "address offset size file:(symbol)". */
const parts = [];
for (const line of readFileSync(`${folder}/neuromancer.map`, 'utf8').split('\n')) {
  const found = /^ *[0-9a-f-]+ +[0-9a-f]+ +([0-9a-f]+) {9}(\S+?):\((.*)\)$/.exec(line);
  if (found) parts.push({ bytes: Number.parseInt(found[1], 16), file: found[2], symbol: found[3] });
}

function place(file) {
  const own = /nm_engine\.dir\/(engine\/.*)\.o$/.exec(file);
  if (own) return own[1];
  const library = /([\w-]+)\.a\((.*)\.o\)?$/.exec(file) ?? /([\w-]+)\.a/.exec(file);
  return library ? `libraries/${library[1]}` : 'libraries/others';
}

function sums(key) {
  const totals = new Map();
  for (const part of parts) totals.set(key(part), (totals.get(key(part)) ?? 0) + part.bytes);
  return [...totals].sort(([, a], [, b]) => b - a);
}

const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
const row = ([name, bytes]) =>
  `${String(bytes).padStart(9)}  ${((100 * bytes) / total).toFixed(1).padStart(5)} %  ${name}`;
const folderOf = ({ file }) => place(file).split('/').slice(0, 3).slice(0, -1).join('/');
const roomOf = ({ file }) => place(file).split('/').slice(0, -1).join('/');

console.log(`${wasm} bytes; before the optimiser ${total}:\n`);
console.log('By folder\n');
for (const each of sums(folderOf)) console.log(row(each));
console.log('\nBy the folders of operators\n');
for (const each of sums(roomOf).filter(([name]) => name.startsWith('engine/ops/'))) console.log(row(each));
console.log('\nThe largest files\n');
for (const each of sums(({ file }) => place(file)).slice(0, 40)) console.log(row(each));
