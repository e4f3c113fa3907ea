// The same application, written for onnxruntime-web.
import * as ort from 'onnxruntime-web';

async function main() {
  const ink = await (await fetch('digit.json')).json();
  const session = await ort.InferenceSession.create('handwriting.onnx', { executionProviders: ['wasm'] });
  const image = new ort.Tensor('float32', Float32Array.from(ink), [1, 1, 28, 28]);
  const { data } = (await session.run({ image })).probabilities;
  globalThis.results = { plain: { digit: data.indexOf(Math.max(...data)), threads: ort.env.wasm.numThreads } };
}

main().catch(({ code, message }) => {
  globalThis.results = { plain: { code, message } };
});
