// What npm has.
import { join } from 'node:path';
import { Missing } from './missing.ts';
import { install, work } from './project.ts';

/** The folder of packages, which are installed in one of that name. */
export async function packagesOf(name: string, packages: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(work, name);
  try {
    await install(folder, packages);
  } catch (error) {
    throw new Missing(
      `npm has no ${Object.keys(packages).join(', ')} for it: ${(error as Error).message.slice(0, 300)}`,
    );
  }
  return join(folder, 'node_modules');
}

const machine = `${process.platform} ${process.arch}`;

/** A program of the npm package that is for this machine. */
export async function programOf(
  name: string,
  version: string,
  packages: Readonly<Record<string, string>>,
  path: string,
): Promise<string> {
  const own = packages[machine];
  if (own === undefined) throw new Missing(`it is not on npm for ${machine}`);
  return join(await packagesOf(name, { [own]: version }), own, path);
}

export const workerd = (): Promise<string> =>
  programOf(
    'workerd',
    '1.20261117.1',
    {
      'linux x64': '@cloudflare/workerd-linux-64',
      'linux arm64': '@cloudflare/workerd-linux-arm64',
      'darwin x64': '@cloudflare/workerd-darwin-64',
      'darwin arm64': '@cloudflare/workerd-darwin-arm64',
    },
    'bin/workerd',
  );
