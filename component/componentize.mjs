// Makes a component of a core module that exports a world's functions by the canonical ABI:
//   node componentize.mjs CORE --wit FOLDER --world NAME --tools FOLDER [--prepare] --out FILE
// FOLDER of --tools is where npm has installed @bytecodealliance/jco-transpile. With --prepare the module's exported
// function `prepare` is called first, and the component's instances begin with the memory that it leaves.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepared } from './prepared.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    wit: { type: 'string' },
    world: { type: 'string' },
    tools: { type: 'string' },
    prepare: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});

/** The package of a folder of WIT files: its name, and all that is declared in it. */
function packageOf(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.wit'));
  const text = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const statement = /^package ([^;]+);/gm;
  const [[, name]] = text.matchAll(statement);
  return { name, declarations: text.replace(statement, '') };
}

/** A folder of WIT files and those of its folder `deps` as one text, since the tools' API takes no folders. */
function witSource(folder) {
  const { name, declarations } = packageOf(folder);
  const deps = join(folder, 'deps');
  const folders = existsSync(deps) ? readdirSync(deps, { withFileTypes: true }) : [];
  const others = folders
    .filter((entry) => entry.isDirectory())
    .map((entry) => packageOf(join(deps, entry.name)))
    .map((other) => `package ${other.name} {\n${other.declarations}\n}`);
  return [`package ${name};`, declarations, ...others].join('\n');
}

const tools = createRequire(resolve(values.tools, 'package.json')).resolve(
  '@bytecodealliance/jco-transpile/wasm-tools',
);
const { componentEmbed, componentNew } = await import(tools);
const core = readFileSync(positionals[0]);
const binary = values.prepare ? await prepared(core) : core;
const embedded = await componentEmbed({ binary, world: values.world, witSource: witSource(values.wit) });
writeFileSync(values.out, await componentNew(embedded, []));
