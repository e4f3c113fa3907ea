#!/usr/bin/env node
// npx neuromancer bundle|pack MODEL -o FILE: the command line of the package.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { type BundleOptions, bundle, NeuromancerError } from './bundle.js';
import { accuracyReport } from './cli/accuracy-report.js';
import { type PackOptions, pack } from './pack.js';

const usage = `usage: neuromancer bundle MODEL -o FILE [--artefact wasm|wasm-relaxed | --wasm FILE] [--dimension NAME=N]...
                          [--external PATH]...

  Writes one WebAssembly file with the engine and the model, whose instances are ready to run:
  Session.fromBundle('FILE').

  -o, --output     the file to write
  --artefact       wasm (the default) runs wherever there is SIMD; wasm-relaxed is faster where there is relaxed SIMD
  --wasm           a build of the engine of your own, such as a reduced one
  --dimension      a dimension that the model leaves open, for which the first run is planned (else 1)
  --external       a file beside the model that it refers to for its weights, by the path it uses

       neuromancer pack MODEL -o FILE [--dimension NAME=N]... [--strip] [--weights float16|int8|int4]
                        [--external PATH]...

  Writes the model's packed form, which loads without being read as ONNX or optimised: Session.load('FILE').

  --dimension      a number for a dimension that the model leaves open, from then on
  --strip          leaves out the names of values and nodes inside the model
  --weights        stores float32 weights in fewer bits, and says how far outputs are then from the model's on random
                   inputs (accuracy() of neuromancer/compare: on inputs of yours)
`;

class Misuse extends Error {}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      artefact: { type: 'string' },
      wasm: { type: 'string' },
      dimension: { type: 'string', multiple: true, default: [] },
      external: { type: 'string', multiple: true, default: [] },
      strip: { type: 'boolean', default: false },
      weights: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const [command, model, ...more] = positionals;
  if (command !== 'bundle' && command !== 'pack')
    throw new Misuse(command === undefined ? 'a command is missing' : `no command "${command}"`);
  if (model === undefined || more.length > 0) throw new Misuse(`${command} takes one model`);
  if (values.output === undefined) throw new Misuse('the option -o, the file to write, is missing');
  const engine = (['artefact', 'wasm'] as const).filter((name) => values[name] !== undefined);
  if (command === 'pack' && engine.length > 0)
    throw new Misuse(`pack takes no --${engine[0]}: its file is for every build of the engine`);
  if (engine.length > 1) throw new Misuse('bundle takes one engine: --artefact or --wasm');
  const packing = (['strip', 'weights'] as const).filter((name) => values[name]);
  if (command === 'bundle' && packing.length > 0)
    throw new Misuse(`bundle takes no --${packing[0]}; bundle a model packed with it`);
  const externalData = Object.fromEntries(
    await Promise.all(values.external.map(async (path) => [path, await readFile(beside(model, path))] as const)),
  );
  const bytes = await (command === 'pack'
    ? pack(await readFile(model), packOptions())
    : bundle(await readFile(model), bundleOptions()));
  await writeFile(values.output, bytes);
  process.stdout.write(`${values.output}: ${bytes.length} bytes\n`);
  if (values.weights !== undefined) {
    const reference = { externalData, freeDimensions: dimensions() };
    process.stdout.write(await accuracyReport(bytes, await readFile(model), reference));
  }
  return 0;

  function dimensions(): Record<string, number> {
    return Object.fromEntries(values.dimension.map(dimension));
  }

  function packOptions(): PackOptions {
    const options: PackOptions = { externalData, dimensions: dimensions(), strip: values.strip };
    if (values.weights !== undefined) options.weights = values.weights as 'int8';
    return options;
  }

  function bundleOptions(): BundleOptions {
    const options: BundleOptions = { dimensions: dimensions(), externalData };
    if (values.artefact !== undefined) options.artefact = values.artefact as 'wasm';
    if (values.wasm !== undefined) options.wasm = values.wasm;
    return options;
  }
}

function dimension(text: string): [string, number] {
  const at = text.lastIndexOf('=');
  const size = Number(text.slice(at + 1));
  if (at < 1 || !Number.isInteger(size) || size < 0) {
    throw new Misuse(`--dimension takes NAME=N with a whole number, not "${text}"`);
  }
  return [text.slice(0, at), size];
}

function beside(model: string, path: string): string {
  const folder = dirname(resolve(model));
  const file = resolve(join(folder, path));
  if (!file.startsWith(folder + sep)) throw new Misuse(`"${path}" is outside the model's folder`);
  return file;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const misuse = error instanceof Misuse || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
    const message = error instanceof NeuromancerError ? `${error.message} (${error.code})` : (error as Error).message;
    process.stderr.write(`neuromancer: ${message}\n${misuse ? usage : ''}`);
    process.exitCode = misuse ? 2 : 1;
  },
);
