// In Node: node node.mjs COUNT own|shared
import { readFileSync } from 'node:fs';
import { Session } from '../../web/dist/index.js';
import { files } from '../start/subjects.mjs';
import { resident } from './resident.mjs';
import { serve } from './serve.mjs';

const wasm = await WebAssembly.compile(readFileSync(files.engine));
const model = readFileSync(files.packed);
const [count, memory] = process.argv.slice(2);
const options = { wasm, threads: 1, shared: memory === 'shared' };
serve(await resident(() => Session.load(model, options), Number(count)));
