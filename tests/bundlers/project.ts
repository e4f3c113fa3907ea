// A cell's project on disk: the tarball installed, the files in place, everything built; and the commands that run there.
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { render } from '../../demo/src/draw/ink.ts';
import { three } from '../drawn-three.ts';
import type { Cell } from './cell.ts';
import type { Site } from './server.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));
/** Where the projects are. */
export const work = join(root, 'build', 'bundlers');
const app = fileURLToPath(new URL('app', import.meta.url));

const path = [join(root, 'node_modules', '.bin'), dirname(process.execPath), process.env.PATH].join(':');

export async function shell(command: string, cwd: string): Promise<string> {
  const env = { ...process.env, PATH: `${join(cwd, 'node_modules', '.bin')}:${path}` };
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd, env, timeout: 300_000 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command}: ${`${stdout}${stderr}`.trim() || error}`);
  }
}

const stroke = three.map(([x, y]) => ({ x, y }));
/** What it is. */
export const digit = 3;

/** The project's folder, with the tarball installed and everything built. */
export async function prepare(cell: Cell, tarball: string): Promise<string> {
  const folder = join(work, cell.name.replace(/[^a-z0-9]+/gi, '-').toLowerCase());
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // A cell without packages of the registry needs no network: the package's own dependency comes from here.
  const own = {
    neuromancer: `file:${tarball}`,
    'onnxruntime-common': `file:${join(root, 'node_modules/onnxruntime-common')}`,
  };
  const dependencies = { ...own, ...cell.install };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  for (const file of ['classify.js', ...cell.files]) {
    const text = readFileSync(join(app, file), 'utf8').replaceAll("'neuromancer'", `'${cell.as ?? 'neuromancer'}'`);
    writeFileSync(join(folder, file), text);
  }
  if (cell.folder !== undefined) cpSync(join(app, cell.folder), folder, { recursive: true });
  for (const [file, text] of Object.entries(cell.write ?? {})) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  cpSync(join(root, 'models', 'handwriting', 'handwriting.onnx'), join(folder, 'handwriting.onnx'));
  writeFileSync(join(folder, 'digit.json'), JSON.stringify(Array.from(render([stroke]))));
  // Of packages' own scripts none is needed.
  const offline = cell.install === undefined ? '--offline' : '';
  await shell(`npm install --ignore-scripts --no-audit --no-fund --no-package-lock ${offline}`, folder);
  for (const command of cell.build ?? []) await shell(command, folder);
  return folder;
}

/** Starts a server that prints its address. */
export async function startServer(command: string, cwd: string): Promise<Site> {
  const env = { ...process.env, NO_COLOR: '1', PATH: `${join(cwd, 'node_modules', '.bin')}:${path}` };
  const server = spawn('sh', ['-c', `exec ${command}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const close = () => void server.kill();
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: unknown) => {
      said += String(text);
      const url = /http:\/\/\S+/.exec(said)?.[0];
      if (url !== undefined) resolve({ url, close });
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    server.on('exit', () => reject(new Error(`${command} ended: ${said}`)));
  });
}
