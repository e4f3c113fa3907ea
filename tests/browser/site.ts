// Serves the built demo for all tests of a run.
import { fileURLToPath } from 'node:url';
import { preview } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    site: string;
  }
}

export default async function serve(project: TestProject): Promise<() => Promise<void>> {
  const root = fileURLToPath(new URL('../../demo', import.meta.url));
  const server = await preview({ root, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'warn' });
  const [url] = server.resolvedUrls?.local ?? [];
  if (url === undefined) throw new Error('The demo is not served at any address.');
  project.provide('site', url);
  return () => server.close();
}
