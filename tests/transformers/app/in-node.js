// node in-node.js RUNTIME MODELS TIMES: every task in Node, with "neuromancer" or "onnxruntime-web" under transformers.js,
// or with what "overrides" in package.json put there.

import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { runTasks } from './tasks.js';

const [runtime, models, times] = process.argv.slice(2);
if (runtime === 'neuromancer') {
  await import('neuromancer/transformers');
} else if (runtime === 'onnxruntime-web') {
  const url = import.meta.resolve('onnxruntime-web');
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'onnxruntime-node' ? { url, format: 'module', shortCircuit: true } : next(specifier, context),
  });
}
const transformers = await import('@huggingface/transformers');
Object.assign(transformers.env, { allowRemoteModels: false, localModelPath: models });
// The files of onnxruntime-web that are installed, not those of the network.
Object.assign(transformers.env.backends.onnx.wasm, { numThreads: 1, wasmPaths: undefined });
const results = await runTasks(transformers, { times: Number(times) });
writeSync(1, JSON.stringify(results));
process.exit(0);
