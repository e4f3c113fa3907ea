// Writes the bindings that are kept in the repository, with wit-bindgen (the crate wit-bindgen-cli 0.63) on PATH:
//   node component/generate.mjs
// They are kept because the generator is a Rust crate only, and building it takes longer than all the rest.
// tests/tools/bindings.test.mjs says when they are out of date.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The worlds, each with the folder whose `wit` declares it. */
export const worlds = [
  { world: 'engine', folder: join(root, 'component') },
  { world: 'service', folder: join(root, 'demo', 'edge', 'component') },
];

/** What is kept beside the bindings: a sum of the declarations that they are made of. */
export function sumOf(folder) {
  const files = readdirSync(join(folder, 'wit'), { recursive: true }).filter((name) => name.endsWith('.wit'));
  const hash = createHash('sha256');
  for (const name of files.sort()) hash.update(name).update(readFileSync(join(folder, 'wit', name)));
  return `${hash.digest('hex')}\n`;
}

/** The generator's files, without its object file and what refers to it: componentize.mjs embeds what that holds. */
export function generate({ world, folder }, target) {
  mkdirSync(target, { recursive: true });
  execFileSync('wit-bindgen', ['c', join(folder, 'wit'), '--world', world, '--out-dir', target], { stdio: 'pipe' });
  rmSync(join(target, `${world}_component_type.o`));
  const source = join(target, `${world}.c`);
  writeFileSync(source, readFileSync(source, 'utf8').replace(/\n\/\/ Ensure that the \*_component_type\.o[\s\S]*/, ''));
  writeFileSync(join(target, 'wit.sha256'), sumOf(folder));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const each of worlds) generate(each, join(each.folder, 'bindings'));
}
