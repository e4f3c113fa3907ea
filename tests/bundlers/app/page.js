// In a page.
import { classifyInAllModes, modes } from './classify.js';

async function main() {
  const ink = await (await fetch('digit.json')).json();
  globalThis.results = await classifyInAllModes('handwriting.onnx', ink, modes);
}

main();
