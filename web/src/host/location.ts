// Where this package's files lie.
import { NeuromancerError } from '../api/errors.js';
import { installedFile, isNode } from './host.js';

/** Vite's dependency optimiser, up to version 7, moves a script here and leaves the files beside it behind. */
const optimised = /\/\.vite\/deps(_ssr)?\/[^/]*$/;

/**
 * The file of that name beside this package's script. `literal` says the same as `new URL('./name', import.meta.url)`,
 * the form that bundlers look for and put their own address into.
 */
export function besideThisScript(name: string, literal: () => URL): URL {
  let url: URL;
  try {
    url = literal();
    // A server's bundle (Next.js) has the path there that browsers would ask the server for.
    if (isNode && url.href.startsWith('/')) url = installedFile(name);
  } catch (error) {
    throw new NeuromancerError(
      'engine_unavailable',
      `The place of ${name} is not known: a bundler has moved this script away from it (to the format "iife" or "cjs", say). ` +
        'Import "neuromancer/single", which has the engine inside, or say where the engine is with the option "wasm" ' +
        "(Cloudflare Workers: import wasm from 'neuromancer/neuromancer-wasm.wasm').",
      {},
      error,
    );
  }
  return optimised.test(url.pathname)
    ? new URL(url.pathname.replace(optimised, `/neuromancer/dist/${name}`), url)
    : url;
}

/** Whether the literal address leads nowhere. */
export function wasMoved(url: URL): boolean {
  return optimised.test(url.pathname);
}
