// The file for workers and threads that cannot be had once is asked for again by the next load.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';
import { pageBrowsers } from './webkit.ts';

const model = readFileSync(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));
let broken = true;
const port = servePackage((path) => {
  if (path === '/model.onnx') return model;
  return path === '/workers-beside.js' && broken ? null : undefined;
});

const load = `(async () => {
  const { Session } = await import('/index.js');
  const session = await Session.load('/model.onnx', { threads: 1, worker: true }).catch(({ code, message }) => ({ code, message }));
  const { engine, code, message } = session;
  return { worker: engine?.worker, code, message };
})()`;

// Firefox keeps a module that could not be had until the page is loaded again, as the error says.
const forgetful = pageBrowsers.filter(({ name }) => name !== 'Firefox');

inEachBrowser(forgetful, 'a load whose file for workers could not be had can be tried again', async (driver) => {
  broken = true;
  await driver.open(`http://localhost:${port()}/`);
  const first = await driver.evaluate<{ code: string; message: string }>(load);
  expect(first.code).toBe('engine_unavailable');
  expect(first.message).toMatch(/workers-beside\.js.*reload the page/);
  broken = false;
  expect(await driver.evaluate(load)).toMatchObject({ worker: true });
  // The failure is told to the page, and by the browser on its console.
  driver.errors.splice(0);
});
