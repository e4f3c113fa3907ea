// What clang-tidy is given by ./dev lint --all: a source or a few for each folder that include the folder's sources, so
// that headers are read once for all of them, and a compile_commands.json of these. A file costs clang-tidy 3 to 4 seconds
// by itself, of which all but a tenth are its headers; 20 files together take 7.
//   node tools/lint-folders.mjs BUILD    writes BUILD/lint/

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

const build = resolve(process.argv[2]);
const out = `${build}/lint`;
const root = process.cwd();
const files = (...patterns) =>
  execFileSync('git', ['ls-files', ...patterns], { encoding: 'utf8' })
    .trim()
    .split('\n');

const isConstant = (name) => /^k[A-Z]/.test(name);
const withoutComments = (text) => text.replace(/\/\/.*/g, '');
const constants = (text) => new Set(withoutComments(text).match(/(?<!::)\bk[A-Z]\w*\b/g));

// Names that lines without an indent declare, which is where namespaces' members stand.
const typeNames = (text) =>
  [...withoutComments(text).matchAll(/^(?:struct|class|enum class|enum|using) (\w+)/gm)].map((m) => m[1]);
function declared(text) {
  const names = new Set(typeNames(text));
  for (const [line] of withoutComments(text).matchAll(/^[a-zA-Z[].*/gm)) {
    if (/^(struct|class|enum|using|namespace|template|TEST_CASE|static_assert|NM_|extern)\b/.test(line)) continue;
    const other = line.match(/^[^(=]*?(\w+)(?:\(| =|;|\{|\[)/);
    if (other) names.add(other[1]);
  }
  return names;
}
const isPrivate = /^namespace \{\n[\s\S]*?^\} {2}\/\/ namespace$|^static .*/gm;
const privateNames = (text) => declared((text.match(isPrivate) ?? []).join('\n'));

// What a private name hides, or is ambiguous with: types, and the functions that tests share.
const inHeaders = new Set();
for (const header of files('*.h')) {
  const text = readFileSync(header, 'utf8');
  for (const name of constants(text)) inHeaders.add(name);
  for (const name of header.startsWith('tests/') ? declared(text) : typeNames(text)) inHeaders.add(name);
}

// Sources by folder and flags.
const groups = new Map();
for (const { command, file, directory } of JSON.parse(readFileSync(`${build}/compile_commands.json`, 'utf8'))) {
  const source = relative(root, file);
  if (!/^(engine|cli|tests|bench)\//.test(source)) continue;
  const flags = command.replace(/^.*? (?=\S*\+\+ )/, '').replace(/ -o \S+ -c \S+$/, '');
  const key = `${dirname(source)} ${flags}`;
  if (!groups.has(key)) groups.set(key, { folder: dirname(source), flags, directory, sources: new Set() });
  groups.get(key).sources.add(source);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
const commands = [];
const seen = new Set();
for (const { folder, flags, directory, sources } of groups.values()) {
  // Files that have the same private names do not go together; nor does one that has such a name in common with headers.
  const heaps = [];
  for (const source of [...sources].sort()) {
    if (seen.has(source)) continue;
    seen.add(source);
    const text = readFileSync(source, 'utf8');
    const names = new Set([...privateNames(text)].filter((name) => !isConstant(name)));
    const alone = !names.isDisjointFrom(inHeaders);
    const heap = alone ? undefined : heaps.find((h) => !h.alone && h.names.isDisjointFrom(names));
    if (heap === undefined) {
      heaps.push({ alone, names, texts: new Map([[source, text]]) });
    } else {
      for (const name of names) heap.names.add(name);
      heap.texts.set(source, text);
    }
  }
  for (const { texts } of heaps) {
    const headers = new Set();
    for (const text of texts.values()) {
      const always = text.replace(/^#if[\s\S]*?^#endif/gm, ''); // not those of other machines
      for (const [line] of always.matchAll(/^#include .*\.h(pp)?"$|^#include <.*>$/gm)) headers.add(line);
    }
    const lines = [...headers];
    for (const [source, text] of texts) {
      // Constants of the same name (kEntries, the numbers of inputs) are told apart by their files.
      const own = [...constants(text)].filter((name) => texts.size > 1 && !inHeaders.has(name));
      const suffix = source.replace(/\W/g, '_');
      for (const name of own) lines.push(`#define ${name} ${name}_${suffix}`);
      lines.push(`#include "${root}/${source}"`);
      for (const name of own) lines.push(`#undef ${name}`);
    }
    const file = `${out}/${folder.replaceAll('/', '_')}_${commands.length}.cpp`;
    writeFileSync(file, `${lines.join('\n')}\n`);
    commands.push({ directory, file, command: `${flags} -c ${file}` });
  }
}
writeFileSync(`${out}/compile_commands.json`, JSON.stringify(commands, null, 1));
console.log(`lint: ${seen.size} C++ sources in ${commands.length} heaps`);
