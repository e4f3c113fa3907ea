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
