// In Node: node node.mjs COUNT
import { readFileSync } from 'node:fs';
import { Session } from '../../web/dist/index.js';
import { files } from '../start/subjects.mjs';
import { resident } from './resident.mjs';
import { serve } from './serve.mjs';

const wasm = await WebAssembly.compile(readFileSync(files.engine));
const model = readFileSync(files.packed);
serve(await resident(() => Session.load(model, { wasm, threads: 1 }), Number(process.argv[2])));
