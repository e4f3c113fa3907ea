// In an edge isolate.
import { classifyInAllModes } from './classify.js';
import ink from './digit.json';
import model from './handwriting.onnx';

export default {
  async fetch() {
    return Response.json(await classifyInAllModes(model, ink, { plain: {}, worker: { worker: true } }));
  },
};
