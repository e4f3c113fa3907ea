// Does what the platform does with an edge function, on edge-runtime: bundles it into one script, in which a module
// that was compiled outside stands for the import.
//   node edge-runtime.mjs PROJECT MODULES
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [project, modules] = process.argv.slice(2);
const { build } = createRequire(join(project, 'package.json'))('esbuild');
const { EdgeRuntime, runServer } = createRequire(join(modules, 'package.json'))('edge-runtime');

const compiledOutside = {
  name: 'compiled-outside',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: 'outside' }));
    onLoad({ filter: /.*/, namespace: 'outside' }, () => ({ contents: 'export default compiledDigits;' }));
  },
};
const { outputFiles } = await build({
  stdin: {
    contents: `import handle from './vercel/api.js';
      addEventListener('fetch', (event) => event.respondWith(handle(event.request)));`,
    resolveDir: project,
  },
  bundle: true,
  format: 'iife',
  write: false,
  plugins: [compiledOutside],
});
const module = await WebAssembly.compile(readFileSync(join(project, 'digits.wasm')));
const runtime = new EdgeRuntime({
  initialCode: outputFiles[0].text,
  extend: (context) => Object.assign(context, { compiledDigits: module }),
});
const { url } = await runServer({ runtime, host: '127.0.0.1', port: 0 });
console.log(url);
