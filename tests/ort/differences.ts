// Where neuromancer/ort is meant to behave otherwise than onnxruntime-web, and why. The tests hold each package to its own
// side, so that a difference which goes away, or a new one, fails.
export interface Difference {
  readonly reason: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

const tensor = (dims: number[], data: number[]) => ({ type: 'float32', dims, data, array: 'Float32Array' });
const total = tensor([1, 3], [11, 22, 33]);
const product = tensor([1, 3], [10, 40, 90]);

const vague = (dim: number) => [
  [{ name: 'x', isTensor: true, type: 'float32', shape: [dim, 2] }],
  [{ name: 'y', isTensor: true, type: 'float32', shape: [dim, 2] }],
];

export const differences: Readonly<Record<string, Difference>> = {
  'metadata of dimensions without a name': {
    reason: 'onnxruntime-web reads its own -1 as an unsigned number.',
    ours: vague(-1),
    theirs: vague(4294967295),
  },
  'external data that nobody gives, in a file beside the model': {
    reason: 'onnxruntime-node finds such files, and applications for Node rely on it.',
    ours: { y: tensor([2], [11, 22]) },
    theirs: 'Error',
  },
  'preferredOutputLocation "moon"': {
    reason: 'A misspelt option is refused; the build of onnxruntime-web for Node does not look at this one.',
    ours: 'Error',
    theirs: 'no error',
  },
  'executionProviders ["webgpu"] compute, with one line on the console': {
    reason: 'An application that asks for a device which is not there still gets its results.',
    ours: { numbers: { total, product }, lines: 1 },
    theirs: { numbers: undefined, lines: 0 },
  },
  'fetches as Tensors are written into, and returned': {
    reason: 'The declarations say that a Tensor given for an output receives it; onnxruntime-web returns it as it was.',
    ours: [true, true, { total, product }],
    theirs: [true, true, { total: tensor([1, 3], [0, 0, 0]), product }],
  },
  'a sequence as an output': {
    reason: 'onnxruntime-web has no values but tensors.',
    ours: [tensor([2], [1, 2]), tensor([2], [3, 4])],
    theirs: undefined,
  },
  'outputs given back as inputs, and read in the end': {
    reason:
      'What comes back as an input stays in the engine; "gpu-buffer" is how applications know data that are elsewhere.',
    ours: [['cpu', 'gpu-buffer', 'gpu-buffer', 'gpu-buffer', 'gpu-buffer'], tensor([1, 2], [5, 10]), 'cpu'],
    theirs: [['cpu', 'cpu', 'cpu', 'cpu', 'cpu'], tensor([1, 2], [5, 10]), 'cpu'],
  },
  'releasing twice': {
    reason: 'What is released is released; an end that comes twice is no fault to tell of.',
    ours: 'no error',
    theirs: 'Error',
  },
  'env after the first session': {
    reason: 'transformers.js downloads the WebAssembly files of the version that stands in env.versions.web.',
    ours: ['number', false, false, 0, 'warning', ['common']],
    theirs: ['number', false, false, 0, 'warning', ['common', 'web']],
  },
};
