// Programs that Debian has, in a newer suite than this machine may run: unpacked with all their libraries.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { found, prepared } from './programs.ts';
import { root, work } from './project.ts';
import { run } from './shell.ts';

/** The command that starts `/usr/bin/NAME` of these packages, by the loader that is among them. */
export async function fromDebian(
  name: string,
  suite: string,
  packages: readonly string[],
): Promise<readonly [string, ...string[]]> {
  const folder = join(work, `${name}-${suite}`);
  if (!existsSync(folder)) {
    const unpacked = `${folder}-unpacked`;
    rmSync(unpacked, { recursive: true, force: true });
    mkdirSync(unpacked, { recursive: true });
    found(['apt-get']);
    await prepared(join(root, 'tools', 'debian.sh'), [suite, ...packages], unpacked);
    const files = readdirSync(unpacked).filter((file) => file.endsWith('.deb'));
    for (const file of files) await run('dpkg', ['-x', file, '.'], unpacked);
    renameSync(unpacked, folder);
  }
  const files = readdirSync(join(folder, 'usr', 'lib'), { recursive: true, encoding: 'utf8' });
  const loader = files.find((path) => /\/ld-linux[^/]*\.so\.\d+$/.test(path));
  if (loader === undefined) throw new Error(`There is no loader among ${packages.join(', ')}.`);
  const path = join(folder, 'usr', 'lib', loader);
  return [path, '--library-path', dirname(path), join(folder, 'usr', 'bin', name)];
}
