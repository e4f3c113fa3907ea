// Programs that are Go modules.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { found, prepared } from './programs.ts';
import { work } from './project.ts';

/** The program of a package, which Go builds. */
export async function fromGo(path: string, version: string): Promise<string> {
  const folder = join(work, `${basename(path)}-${version}`);
  const program = join(folder, basename(path));
  if (!existsSync(program)) {
    await prepared('env', [`GOBIN=${folder}`, found(['go']), 'install', `${path}@${version}`], work);
  }
  return program;
}
