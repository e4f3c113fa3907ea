// Built by Vite, with onnxruntime-web's name for neuromancer/ort: ?worker runs the tasks in a worker.
import { runHere } from './in-browser.js';

if (location.search === '?worker') {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => {
    globalThis.results = data;
  };
} else {
  globalThis.results = await runHere(await import('@huggingface/transformers'));
}
