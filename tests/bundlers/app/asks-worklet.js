// In a page that leaves the work to an audio worklet.
const read = async (path) => (await fetch(path)).arrayBuffer();
const [wasm, model, digit] = await Promise.all([
  WebAssembly.compileStreaming(fetch('neuromancer/neuromancer-wasm.wasm')),
  read('handwriting.onnx'),
  read('digit.json'),
]);
const audio = new OfflineAudioContext(1, 128, 44100);
await audio.audioWorklet.addModule('worklet.js');
const ink = JSON.parse(new TextDecoder().decode(digit));
const node = new AudioWorkletNode(audio, 'reader', { processorOptions: { wasm, model, ink } });
node.port.onmessage = ({ data }) => {
  globalThis.results = data;
};
audio.startRendering();
