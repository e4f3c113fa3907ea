// In a worker of the page's own: a dedicated, shared or service worker.
import { classifyInAllModes, modes } from './classify.js';

async function answer(port) {
  const model = new URL('handwriting.onnx', self.location.href);
  const ink = await (await fetch(new URL('digit.json', self.location.href))).json();
  port.postMessage(await classifyInAllModes(model, ink, modes));
}

self.addEventListener('connect', ({ ports }) => void answer(ports[0]));
self.addEventListener('message', ({ source }) => void answer(source ?? self));
