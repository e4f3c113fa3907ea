// The programs of demo/embed: a bundle called through its C interface from other languages. Each prints the sign it read.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { found, prepared } from './programs.ts';
import { root, work } from './project.ts';
import { run } from './shell.ts';

export interface Embed {
  readonly name: string;
  /** What the program prints for these two files. */
  classify(bundle: string, picture: string): Promise<string>;
}

const example = (language: string) => join(root, 'demo', 'embed', language);

const wasmtime = '50.0.1';

export const embeds: readonly Embed[] = [
  {
    name: 'Python (wasmtime)',
    async classify(bundle, picture) {
      const folder = join(work, 'python');
      const python = join(folder, 'bin', 'python');
      if (!existsSync(join(folder, wasmtime))) {
        mkdirSync(folder, { recursive: true });
        await prepared(found(['python3']), ['-m', 'venv', folder], work);
        await prepared(python, ['-m', 'pip', 'install', '--quiet', `wasmtime==${wasmtime}`], folder);
        mkdirSync(join(folder, wasmtime));
      }
      return run(python, [join(example('python'), 'classify.py'), bundle, picture], work);
    },
  },
  {
    name: 'Go (wazero)',
    async classify(bundle, picture) {
      const program = join(work, 'go-classify');
      const go = found(['go']);
      await prepared(go, ['mod', 'download'], example('go'));
      await run(go, ['build', '-o', program, '.'], example('go'));
      return run(program, [bundle, picture], work);
    },
  },
];
