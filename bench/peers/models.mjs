// The graphs that are measured (models/export_bench writes them) and their inputs. Integers are drawn from [low, high);
// seeds make every engine see the same numbers.
const image = (dims) => ({ input: { type: 'float32', dims, seed: 1 } });
const text = {
  input_ids: { type: 'int64', dims: [1, 128], seed: 2, low: 0, high: 500 },
  attention_mask: { type: 'int64', dims: [1, 128], seed: 3, low: 1, high: 2 },
};

export const models = {
  mobilenetv2: image([1, 3, 224, 224]),
  resnet50: image([1, 3, 224, 224]),
  conv3x3x64: image([1, 64, 56, 56]),
  gemm1024: image([1024, 1024]),
  'minilm-l6': text,
  'bert-base': text,
  bilstm: image([100, 1, 128]),
};

/** The elements of an input. */
export function elements({ type, dims, seed, low, high }) {
  const count = dims.reduce((a, b) => a * b, 1);
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return type === 'int64'
    ? BigInt64Array.from({ length: count }, () => BigInt(low + Math.floor(random() * (high - low))))
    : Float32Array.from({ length: count }, () => random() * 2 - 1);
}
