// Reads the digit on the server, before the page is sent.
import { readFile } from 'node:fs/promises';
import { classifyInAllModes } from '../../classify.js';

export async function load() {
  const ink = JSON.parse(await readFile('static/digit.json', 'utf8'));
  const modes = { server: {}, 'server, worker': { worker: true } };
  return { onServer: await classifyInAllModes(await readFile('static/handwriting.onnx'), ink, modes) };
}
