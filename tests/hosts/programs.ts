// Programs that are on this machine, and what they prepare.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Missing } from './missing.ts';
import { run } from './shell.ts';

/** Where one of these programs is on PATH. */
export function found(names: readonly string[]): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const path = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
  if (path === undefined) throw new Missing(`${names.join(' and ')} are not there`);
  return path;
}

/** What prepares a program may want a registry. */
export async function prepared(
  program: string,
  args: readonly string[],
  cwd: string,
  limit?: { timeout: number },
): Promise<void> {
  try {
    await run(program, args, cwd, limit);
  } catch (error) {
    throw new Missing((error as Error).message.slice(-300));
  }
}
