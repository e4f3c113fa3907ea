// The examples of demo/edge as their users have them: copied, with the package installed from its tarball.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './shell.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const work = join(root, 'build', 'hosts');

/** What the project is built with; none of it is in the root's lock file. */
const tools = { esbuild: '0.28.2' };

/** Fails with npm's words when a package cannot be had. */
export async function install(folder: string, dependencies: Readonly<Record<string, string>>): Promise<void> {
  const text = JSON.stringify({ private: true, type: 'module', dependencies });
  const file = join(folder, 'package.json');
  const done = join(folder, 'node_modules', '.package-lock.json');
  if (existsSync(done) && existsSync(file) && readFileSync(file, 'utf8') === text) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'];
  await run('npm', ['install', ...flags], folder);
}

/** The project's folder, with digits.wasm in it. */
export async function prepareProject(): Promise<string> {
  const folder = join(work, 'edge');
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(work).filter((name) => name.endsWith('.tgz'))) rmSync(join(work, old));
  const packed = await run('npm', ['pack', '--json', '--pack-destination', work], join(root, 'web'));
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const example = join(root, 'demo', 'edge');
  const { dependencies } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'));
  // The tarball is another one each time, under the same name.
  rmSync(join(folder, 'node_modules', '.package-lock.json'), { force: true });
  rmSync(join(folder, 'node_modules', 'neuromancer'), { recursive: true, force: true });
  await install(folder, {
    ...dependencies,
    ...tools,
    neuromancer: `file:${join(work, filename)}`,
    'onnxruntime-common': `file:${join(root, 'node_modules', 'onnxruntime-common')}`,
  });
  for (const name of readdirSync(example)) {
    if (['package.json', 'node_modules', 'digits.wasm'].includes(name)) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
    cpSync(join(example, name), join(folder, name), { recursive: true });
  }
  const model = join(root, 'models', 'handwriting', 'handwriting.onnx');
  await bundle(folder, model, ['-o', 'digits.wasm']);
  return folder;
}

/** `npx neuromancer bundle MODEL …` in the project. */
export async function bundle(project: string, model: string, args: readonly string[]): Promise<void> {
  const cli = join(project, 'node_modules', 'neuromancer', 'dist', 'cli.js');
  await run(process.execPath, [cli, 'bundle', model, ...args], project);
}

export function esbuild(project: string, args: readonly string[], cwd: string): Promise<string> {
  const program = join(project, 'node_modules', 'esbuild', 'bin', 'esbuild');
  return run(program, [...args, '--bundle', '--log-level=error'], cwd);
}
