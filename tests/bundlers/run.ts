// Installs the package's tarball in a project for each cell of the matrix, builds the project, opens or starts it, and
// looks at how the digit was read:
//   node run.ts [--all] [--write] [NAME…]      the cells of the gate; all of them; those whose names contain one of these;
//                                              --write puts the table of a whole run into docs/where-it-starts.md
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { PageDriver } from '../browser/drivers.ts';
import { startExtension } from '../browser/extension.ts';
import { browserAt, browserPath, closeBrowsers } from './browsers.ts';
import type { Cell, Expected, PageCell } from './cell.ts';
import { cells } from './cells.ts';
import { digit, prepare, root, shell, startServer, work } from './project.ts';
import { type Site, serve } from './server.ts';

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});

type Result = { digit?: number; threads?: number; worker?: boolean; code?: string; message?: string };

/** Puts the address of the package on another site into the cell's files. */
async function putElsewhere({ elsewhere }: PageCell, folder: string): Promise<Site | undefined> {
  if (elsewhere === undefined) return undefined;
  const site = await serve(join(folder, 'node_modules', 'neuromancer', 'dist'), { 'Access-Control-Allow-Origin': '*' });
  for (const file of elsewhere) {
    const text = readFileSync(join(folder, file), 'utf8').replaceAll('CDN/', site.url);
    writeFileSync(join(folder, file), text);
  }
  return site;
}

async function siteOf(cell: PageCell, folder: string): Promise<Site> {
  const served = join(folder, cell.root);
  if (cell.of === 'file') return { url: `${pathToFileURL(served).href}/`, close: () => {} };
  return cell.server === undefined ? serve(served, cell.headers ?? {}) : startServer(cell.server, folder);
}

async function inPage(url: string, browser: PageDriver): Promise<Record<string, Result>> {
  await browser.open(url);
  for (let waited = 0; waited < 60_000; waited += 100) {
    const results = await browser.evaluate<string | null | undefined>('globalThis.results && JSON.stringify(results)');
    if (typeof results === 'string') return JSON.parse(results);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no result after a minute; the console says: ${browser.errors.join('; ') || 'nothing'}`);
}

/** What is wrong with the results, or nothing. */
function judge(expected: Readonly<Record<string, Expected>>, results: Record<string, Result>): string {
  const wrong = Object.entries(expected).flatMap(([mode, { code, message = '', ...facts }]) => {
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
function tell(outcome: keyof typeof counts, { name }: Cell, where: string, why = ''): void {
  counts[outcome] += 1;
  told.set(name, [...(told.get(name) ?? []), outcome === 'passed' ? where : `**${where}: ${outcome}**`]);
  const title = where === 'Chromium' || where === 'there' ? name : `${name}, in ${where}`;
  console.log(`${(outcome === 'failed' ? 'FAILED' : outcome).padEnd(7)} ${title}${why && `: ${why}`}`);
}
/** What came of each cell, for the table. */
const told = new Map<string, string[]>();

async function runCell(cell: Cell, tarball: string): Promise<void> {
  let folder: string;
  try {
    folder = await prepare(cell, tarball);
  } catch (error) {
    tell('failed', cell, 'there', (error as Error).message);
    return;
  }
  if (cell.kind === 'page') await runPage(cell, folder);
  else {
    const { command, expected } = cell;
    await attempt(cell, 'there', async () => ({ wrong: judge(expected, JSON.parse(await shell(command, folder))) }));
  }
}

async function runPage(cell: PageCell, folder: string): Promise<void> {
  const { browsers = ['Chromium'], core = false, but = {} } = cell;
  const elsewhere = await putElsewhere(cell, folder);
  try {
    for (const name of options.all || core ? browsers : browsers.slice(0, 1)) {
      await attempt(cell, name, async () => {
        const path = browserPath(name);
        if (path === undefined) return { skip: `${name} is not there; name its program in NM_${name.toUpperCase()}` };
        const extension = cell.of === 'extension' ? await startExtension(path, folder) : undefined;
        const site = extension ?? (await siteOf(cell, folder));
        const browser = extension ?? (await browserAt(name, path));
        try {
          const results = await inPage(site.url + cell.page, browser);
          return { wrong: judge({ ...cell.expected, ...but[name] }, results) };
        } finally {
          browser.errors.splice(0);
          await site.close();
        }
      });
    }
  } finally {
    elsewhere?.close();
  }
}

/** Tells what came of one try. */
async function attempt(
  cell: Cell,
  where: string,
  test: () => Promise<{ wrong: string } | { skip: string }>,
): Promise<void> {
  try {
    const outcome = await test();
    if ('skip' in outcome) tell('skipped', cell, where, outcome.skip);
    else tell(outcome.wrong === '' ? 'passed' : 'failed', cell, where, outcome.wrong);
  } catch (error) {
    tell('failed', cell, where, (error as Error).message);
  }
}

/** The tools of a cell with their versions, as npm knows them. */
function toolsOf({ install = {} }: Cell): string {
  const names = Object.entries(install).map(([name, version]) => `${name} ${version}`);
  return names.join(', ') || '–';
}

function writeTable(): void {
  const modes = ({ expected }: Cell) =>
    Object.entries(expected).map(([mode, { code, threads, worker }]) => {
      if (code !== undefined) return `${mode}: \`${code}\``;
      if (threads === undefined) return mode;
      return `${mode}: ${threads} thread${threads > 1 ? 's' : ''}${worker ? ' in a worker' : ''}`;
    });
  const rows = cells.map((cell) =>
    [
      cell.name,
      toolsOf(cell),
      modes(cell).join('; '),
      (told.get(cell.name) ?? []).join(', ').replace('there', 'yes'),
    ].join(' | '),
  );
  const head = ['host | tools | what was expected | came so in', '--- | --- | --- | ---'];
  const table = [...head, ...rows].map((row) => `| ${row} |`).join('\n');
  const file = new URL('../../docs/where-it-starts.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/(<!-- table -->\n)[\s\S]*(<!-- end -->)/, `$1\n${table}\n\n$2`));
}

for (const file of readdirSync(work).filter((name) => name.endsWith('.tgz'))) rmSync(join(work, file));
// A list, and since npm 12 an object by name.
const packed: Record<string, { filename: string }> = JSON.parse(
  await shell(`npm pack --json --pack-destination ${work}`, join(root, 'web')),
);
const [{ filename } = { filename: '' }] = Object.values(packed);
const missing = ['wasm', 'wasm-relaxed', 'wasm-threads', 'wasm-relaxed-threads', 'wasm64'].filter(
  (name) => !existsSync(join(root, 'web', 'dist', `neuromancer-${name}.wasm`)),
);
try {
  for (const cell of wanted) await runCell(cell, join(work, filename));
} finally {
  await closeBrowsers();
}
if (missing.length > 0) console.log(`not built, and so not in the tarball: ${missing.join(', ')}`);
if (options.write && options.all && names.length === 0) writeTable();
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || wanted.length === 0 ? 1 : 0;
