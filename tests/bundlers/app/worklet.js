// In an audio worklet: no network, no workers, no text coders; the engine is handed over compiled.
import { classifyInAllModes } from './classify.js';

class Reader extends AudioWorkletProcessor {
  constructor({ processorOptions: { wasm, model, ink } }) {
    super();
    classifyInAllModes(model, ink, { plain: { wasm } }).then((results) => this.port.postMessage(results));
  }
  process() {
    return true;
  }
}

registerProcessor('reader', Reader);
