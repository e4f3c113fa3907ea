// In a page that was opened from a file: everything is inside this script.
import { classifyInAllModes, modes } from './classify.js';
import ink from './digit.json';
import model from './handwriting.onnx';

classifyInAllModes(model, ink, modes).then((results) => {
  globalThis.results = results;
});
