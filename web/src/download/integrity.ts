import { NeuromancerError } from '../api/errors.js';
import type { WebBlob } from '../host/host-types.js';

const form = /^(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})$/;
const algorithms = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;
type Name = keyof typeof algorithms;

/** Whether a value is a hash as `integrity` attributes have it: "sha256-" and base64. */
export function isIntegrity(value: unknown): boolean {
  return typeof value === 'string' && form.test(value);
}

/** The file's hash in the form of the one that is wanted. All of the file is in memory meanwhile. */
export async function hashLike(wanted: string, file: WebBlob): Promise<string> {
  const { subtle } = globalThis.crypto ?? {};
  if (subtle === undefined) {
    throw new NeuromancerError(
      'engine_unavailable',
      'This page is not secure (https or localhost), and browsers compute no hashes on others: leave out "integrity", or serve it by https.',
    );
  }
  const [, name] = form.exec(wanted) as unknown as [string, Name];
  const digest = new Uint8Array(await subtle.digest(algorithms[name], await file.arrayBuffer()));
  return `${name}-${btoa(String.fromCharCode(...digest))}`;
}
