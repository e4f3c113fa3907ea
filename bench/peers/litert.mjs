// LiteRT.js on the CPU. Its models are channels last, and so is what it is given and gives; only the comparison turns
// that back.
import { transpose } from './transpose.mjs';

// The package's module is written for bundlers: it imports a neighbour by its bare name.
function mapImports() {
  const map = document.createElement('script');
  map.type = 'importmap';
  const utilities = '/node_modules/@litertjs/wasm-utils/dist/index.js';
  map.textContent = JSON.stringify({ imports: { '@litertjs/wasm-utils': utilities } });
  document.head.append(map);
}

export async function litert({ threads }) {
  mapImports();
  const { loadAndCompile, loadLiteRt, Tensor } = await import('/node_modules/@litertjs/core/dist/index.js');
  await loadLiteRt('/node_modules/@litertjs/core/wasm/', { threads: threads > 1 });
  return {
    async load(bytes) {
      const options = { accelerator: 'wasm', cpuOptions: { numThreads: threads } };
      return { model: await loadAndCompile(bytes, options), label: 'litert' };
    },
    prepare: (inputs) =>
      Object.fromEntries(
        inputs.map(({ name, type, dims, data }) => {
          if (type === 'int64') return [name, { dims, data: Int32Array.from(data, Number) }];
          return [name, dims.length === 4 ? transpose({ data, dims }, [0, 2, 3, 1]) : { data, dims }];
        }),
      ),
    // Inputs are copied in and outputs out, as the other engines do; tensors have to be deleted by hand.
    async run({ model }, feeds) {
      const inputs = Object.fromEntries(
        Object.entries(feeds).map(([name, { data, dims }]) => [name, new Tensor(data, dims)]),
      );
      const results = Object.values(await model.run(inputs));
      const outputs = await Promise.all(
        results.map(async (tensor) => ({ data: await tensor.data(), dims: [...tensor.type.layout.dimensions] })),
      );
      for (const tensor of [...Object.values(inputs), ...results]) tensor.delete();
      return outputs;
    },
    outputs: (results) =>
      results.map(({ data, dims }) => (dims.length === 4 ? transpose({ data, dims }, [0, 3, 1, 2]) : { data, dims })),
  };
}
