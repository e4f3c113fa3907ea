// A page of the extension, which asks the background to read the digit, too.
import { classifyInAllModes, modes } from './classify.js';

const ink = await (await fetch('digit.json')).json();
const inBackground = await chrome.runtime.sendMessage('read');
globalThis.results = { ...inBackground, ...(await classifyInAllModes('handwriting.onnx', ink, modes)) };
