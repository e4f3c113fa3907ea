// What deploying would upload, which has to be within the limits of the smallest plan.
import { join } from 'node:path';
import { packagesOf } from './packages.ts';
import { run } from './shell.ts';

/** Cloudflare's free plan: kibibytes with gzip. */
const most = 3 * 1024;

export async function testWrangler(project: string): Promise<string[]> {
  const wrangler = join(await packagesOf('wrangler', { wrangler: '4.164.0' }), 'wrangler', 'bin', 'wrangler.js');
  const deploy = ['CI=1', 'WRANGLER_SEND_METRICS=false', process.execPath, wrangler, 'deploy', '--dry-run'];
  const said = await run('env', deploy, join(project, 'cloudflare'));
  const [, size] = /gzip: ([\d.]+) KiB/.exec(said) ?? [];
  if (size === undefined) return [`it said no size: ${said.slice(-500)}`];
  return Number(size) <= most ? [] : [`the upload has ${size} KiB with gzip; the limit is ${most}`];
}
