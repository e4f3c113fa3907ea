// Installs the package's tarball in a project for each cell of the matrix, builds the project, opens or starts it, and
// looks at how the digit was read:
//   node run.ts [--all] [NAME…]      the cells of the gate; all of them; those whose names contain one of these
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { render } from '../../demo/src/draw/ink.ts';
import { type Driver, findBrowser, startChromium } from '../browser/drivers.ts';
import { type Cell, cells, type PageCell } from './cells.ts';
import { type Site, serve } from './server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const work = join(root, 'build', 'bundlers');
const app = fileURLToPath(new URL('app', import.meta.url));

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false } },
});

const path = [join(root, 'node_modules', '.bin'), dirname(process.execPath), process.env.PATH].join(':');

async function shell(command: string, cwd: string): Promise<string> {
  const env = { ...process.env, PATH: `${join(cwd, 'node_modules', '.bin')}:${path}` };
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd, env, timeout: 300_000 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command}: ${`${stdout}${stderr}`.trim() || error}`);
  }
}

/** A three, as a mouse draws it. */
const stroke = [
  [0.3, 0.25],
  [0.4, 0.17],
  [0.55, 0.16],
  [0.66, 0.24],
  [0.66, 0.36],
  [0.58, 0.46],
  [0.46, 0.5],
  [0.6, 0.54],
  [0.7, 0.64],
  [0.66, 0.78],
  [0.52, 0.86],
  [0.38, 0.85],
  [0.28, 0.77],
].map(([x = 0, y = 0]) => ({ x, y }));
const digit = 3;

type Result = { digit?: number; threads?: number; worker?: boolean; code?: string; message?: string };

/** The project's folder, with the tarball installed and everything built. */
async function prepare(cell: Cell, tarball: string): Promise<string> {
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
async function startServer(command: string, cwd: string): Promise<Site> {
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

async function inPage(cell: PageCell, folder: string, browser: Driver): Promise<Record<string, Result>> {
  const dist = join(folder, 'node_modules', 'neuromancer', 'dist');
  const elsewhere = cell.elsewhere && (await serve(dist, { 'Access-Control-Allow-Origin': '*' }));
  for (const file of cell.elsewhere ?? []) {
    const text = readFileSync(join(folder, file), 'utf8').replaceAll('CDN/', elsewhere?.url ?? '');
    writeFileSync(join(folder, file), text);
  }
  const site = await (cell.server === undefined
    ? serve(join(folder, cell.root), cell.headers ?? {})
    : startServer(cell.server, folder));
  try {
    await browser.open(site.url + cell.page);
    for (let waited = 0; waited < 60_000; waited += 100) {
      const results = await browser.evaluate<string | undefined>('globalThis.results && JSON.stringify(results)');
      if (results !== undefined) return JSON.parse(results);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`no result after a minute; the console says: ${browser.errors.join('; ') || 'nothing'}`);
  } finally {
    browser.errors.splice(0);
    site.close();
    elsewhere?.close();
  }
}

/** What is wrong with the results, or nothing. */
function judge(cell: Cell, results: Record<string, Result>): string {
  const wrong = Object.entries(cell.expected).flatMap(([mode, { code, message = '', ...facts }]) => {
    const result = results[mode];
    const wanted: Result = code === undefined ? { digit, ...facts } : { code };
    const same = Object.entries(wanted).every(([key, value]) => result?.[key as keyof Result] === value);
    if (same && (result?.message ?? '').includes(message)) return [];
    return `${mode}: ${JSON.stringify(result)} where ${JSON.stringify({ ...wanted, ...(message && { message }) })} was expected`;
  });
  return wrong.join('; ');
}

const wanted = cells.filter(({ name, gate }) =>
  names.length > 0 ? names.some((part) => name.toLowerCase().includes(part.toLowerCase())) : options.all || gate,
);
mkdirSync(work, { recursive: true });
const counts = { passed: 0, failed: 0, skipped: 0 };
function tell(outcome: keyof typeof counts, name: string, why = ''): void {
  counts[outcome] += 1;
  console.log(`${(outcome === 'failed' ? 'FAILED' : outcome).padEnd(7)} ${name}${why && `: ${why}`}`);
}

const executable = findBrowser('NM_CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome']);
for (const file of readdirSync(work).filter((name) => name.endsWith('.tgz'))) rmSync(join(work, file));
const [{ filename }] = JSON.parse(await shell(`npm pack --json --pack-destination ${work}`, join(root, 'web')));
const missing = ['wasm', 'wasm-relaxed', 'wasm-threads', 'wasm-relaxed-threads'].filter(
  (name) => !existsSync(join(root, 'web', 'dist', `neuromancer-${name}.wasm`)),
);
const browser = executable === undefined ? undefined : await startChromium(executable);
try {
  for (const cell of wanted) {
    if (cell.kind === 'page' && browser === undefined) {
      tell('skipped', cell.name, 'Chromium is not there; name the program in the variable NM_CHROMIUM');
      continue;
    }
    try {
      const folder = await prepare(cell, join(work, filename));
      const results =
        cell.kind === 'page'
          ? await inPage(cell, folder, browser as Driver)
          : (JSON.parse(await shell(cell.command, folder)) as Record<string, Result>);
      const why = judge(cell, results);
      tell(why === '' ? 'passed' : 'failed', cell.name, why);
    } catch (error) {
      tell('failed', cell.name, (error as Error).message);
    }
  }
} finally {
  await browser?.close();
}
if (missing.length > 0) console.log(`not built, and so not in the tarball: ${missing.join(', ')}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || wanted.length === 0 ? 1 : 0;
