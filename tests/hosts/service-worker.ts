// The example of a service worker in Chromium: installed from a server that is closed before anything is asked.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findBrowser, startChromium } from '../browser/drivers.ts';
import { serve } from '../bundlers/server.ts';
import { Missing } from './missing.ts';
import type { Post } from './pictures.ts';
import { esbuild } from './project.ts';
import type { Server } from './shell.ts';

export async function startServiceWorker(project: string): Promise<Server> {
  const executable = findBrowser('NM_CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome']);
  if (executable === undefined) {
    throw new Missing('Chromium is not there; name the program in the variable NM_CHROMIUM');
  }
  const folder = join(project, 'service-worker');
  const site = join(folder, 'build');
  rmSync(site, { recursive: true, force: true });
  mkdirSync(site);
  await esbuild(project, ['worker.js', '--format=iife', '--outdir=build'], folder);
  cpSync(join(folder, 'index.html'), join(site, 'index.html'));
  cpSync(join(project, 'digits.wasm'), join(site, 'digits.wasm'));

  const browser = await startChromium(executable);
  const server = await serve(site, {});
  try {
    await browser.open(`${server.url}index.html`);
    await browser.evaluate(`new Promise((resolve) => {
      const { serviceWorker } = navigator;
      if (serviceWorker.controller !== null) resolve();
      serviceWorker.oncontrollerchange = () => resolve();
    })`);
  } finally {
    server.close();
  }
  return {
    url: server.url,
    said: () => browser.errors.join('; '),
    close: () => void browser.close(),
    ask({ method = 'POST', type, body }: Post) {
      const base64 = body === undefined ? null : Buffer.from(body).toString('base64');
      return browser.evaluate(`(async ([method, type, base64]) => {
        const response = await fetch('./classify', {
          method,
          headers: type === null ? {} : { 'content-type': type },
          body: base64 === null ? null : Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
        });
        return [response.status, await response.json()];
      })(${JSON.stringify([method, type ?? null, base64])})`);
    },
  };
}
