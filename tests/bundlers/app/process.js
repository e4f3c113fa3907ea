// In a process: Node, Deno, Bun.
import { readFileSync } from 'node:fs';
import { classifyInAllModes, modes } from './classify.js';

const ink = JSON.parse(readFileSync('digit.json', 'utf8'));
console.log(JSON.stringify(await classifyInAllModes('handwriting.onnx', ink, modes)));
