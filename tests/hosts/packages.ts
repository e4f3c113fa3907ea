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
