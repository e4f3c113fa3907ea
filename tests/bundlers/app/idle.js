// In a process that keeps its sessions and has nothing more to do: it must end by itself.
import { readFileSync } from 'node:fs';
import { Session, Tensor } from 'neuromancer';
import { modes } from './classify.js';

const ink = new Tensor('float32', JSON.parse(readFileSync('digit.json', 'utf8')), [1, 1, 28, 28]);
const sessions = {};
const results = {};
for (const [mode, options] of Object.entries(modes)) {
  sessions[mode] = await Session.load('handwriting.onnx', options);
  const { probabilities } = await sessions[mode].run({ image: ink });
  results[mode] = { digit: probabilities.argmax(), ...sessions[mode].engine };
}
console.log(JSON.stringify(results));
