// A worker thread that runs the real models through one of the packages, told by its name, and posts what came out. Each
// package has a thread of its own: both register with the same onnxruntime-common otherwise.
import { readdirSync, readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type * as Ort from 'onnxruntime-common';
import { decodeTensor } from '../web-conformance/onnx-data.ts';

export interface Answer {
  readonly model: string;
  readonly set: string;
  /** By the outputs' names. */
  readonly outputs: Record<
    string,
    { type: string; dims: readonly number[]; data: readonly (number | bigint | string)[] }
  >;
}

const { name, folder, models } = workerData as { name: string; folder: string; models: string[] };
const ort = (await import(name)) as typeof Ort;
ort.env.wasm.numThreads = 1;
for (const model of models) {
  const path = `${folder}/${model}`;
  const session = await ort.InferenceSession.create(`${path}/model.onnx`, {
    logSeverityLevel: 3,
    externalData: readdirSync(path)
      .filter((file) => file.endsWith('.data'))
      .map((file) => ({ path: file, data: `${path}/${file}` })),
  });
  // Only tensors can be compared: onnxruntime-web has nothing else.
  const tensors = session.outputMetadata.filter(({ isTensor }) => isTensor).map((info) => info.name);
  for (const set of readdirSync(path).filter((entry) => entry.startsWith('test_data_set_'))) {
    const feeds = session.inputNames.map((input, i) => {
      const { type, data, shape } = decodeTensor(readFileSync(`${path}/${set}/input_${i}.pb`));
      return [input, new ort.Tensor(type as 'float32', data as Float32Array, shape)];
    });
    const outputs = Object.entries(await session.run(Object.fromEntries(feeds), tensors)).map(([output, tensor]) => [
      output,
      { type: tensor.type, dims: tensor.dims, data: Array.from(tensor.data as Float32Array) },
    ]);
    parentPort?.postMessage({ model, set, outputs: Object.fromEntries(outputs) } satisfies Answer);
  }
  await session.release();
}
