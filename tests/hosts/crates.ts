// Programs that are crates.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { found, prepared } from './programs.ts';
import { work } from './project.ts';

/** The program of a crate, which Cargo builds with the dependencies that it was released with. */
export async function fromCrates(name: string, version: string): Promise<string> {
  const folder = join(work, `${name}-${version}`);
  const program = join(folder, 'bin', name);
  if (!existsSync(program)) {
    const install = ['install', name, '--version', version, '--locked', '--quiet', '--jobs=2', '--root', folder];
    await prepared(found(['cargo']), install, work, { timeout: 3_600_000 });
  }
  return program;
}
