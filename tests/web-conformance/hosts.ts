// Where cases run: this Node with one of the artefacts, or Chromium with what the package chooses there.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Artefact } from 'neuromancer';
import { createServer, type ViteDevServer } from 'vite';
import { findBrowser, startChromium } from '../browser/drivers.ts';
import { type Case, checkCase } from './case.ts';

export interface Result {
  readonly name: string;
  /** Why the case fails; absent when it passes. */
  readonly reason: string | undefined;
}

export async function* inNode(cases: readonly Case[], artefact: Artefact): AsyncGenerator<Result> {
  for (const given of cases) {
    yield { name: given.name, reason: await checkCase(given, readFile, { artefact, threads: 2 }) };
  }
}

/** The memory of a batch goes with its page. */
const casesPerPage = 100;

export async function* inChromium(cases: readonly Case[]): AsyncGenerator<Result> {
  const executable = findBrowser('NM_CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome']);
  if (executable === undefined) throw new Error('Chromium is not there; name the program in the variable NM_CHROMIUM.');
  const server = await serve();
  try {
    const page = await startChromium(executable);
    try {
      for (let at = 0; at < cases.length; at += casesPerPage) {
        const batch = cases.slice(at, at + casesPerPage);
        await page.open(`${server.resolvedUrls?.local[0]}page.html`);
        if (!(await page.evaluate<boolean>('crossOriginIsolated'))) throw new Error('The page is not isolated.');
        const reasons = await page.evaluate<(string | null)[]>(`checkCases(${JSON.stringify(batch)})`);
        // A thread whose script is not served is missed by no run, but the console tells.
        if (page.errors.length > 0) throw new Error(`The page's console says: ${page.errors.join('; ')}`);
        yield* batch.map(({ name }, i) => ({ name, reason: reasons[i] ?? undefined }));
      }
    } finally {
      await page.close();
    }
  } finally {
    await server.close();
  }
}

/** Serves the page, the package, and any file by its path, to this machine only and for as long as the cases run. */
async function serve(): Promise<ViteDevServer> {
  const server = await createServer({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    cacheDir: fileURLToPath(new URL('../../build/vite-conformance', import.meta.url)),
    server: {
      host: '127.0.0.1',
      port: 0,
      hmr: false,
      watch: null,
      fs: { strict: false },
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    },
  });
  return server.listen();
}
