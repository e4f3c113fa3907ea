// Every WebAssembly memory of the page: what an engine ever needed, because memories never shrink. Those of workers are
// not seen, but where they are the page's.
const memories = new Set();
const PlainMemory = WebAssembly.Memory;
WebAssembly.Memory = class extends PlainMemory {
  constructor(descriptor) {
    super(descriptor);
    memories.add(this);
  }
};
for (const name of ['instantiate', 'instantiateStreaming']) {
  const plain = WebAssembly[name];
  WebAssembly[name] = async (...given) => {
    const result = await plain.apply(WebAssembly, given);
    const { exports } = result.instance ?? result;
    for (const value of Object.values(exports)) if (value instanceof PlainMemory) memories.add(value);
    return result;
  };
}

export const memoryBytes = () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
