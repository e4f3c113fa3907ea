// ONNX's operators in TensorFlow Lite's, as its converters choose them: biases and activations fused, GELU in one
// piece, strided convolutions padded by an operator of their own. Only what the measured graphs contain.
import { transpose } from './transpose.mjs';

const binary =
  (operator) =>
  (model, { input }, activation) => {
    const [a, b] = input.map((name) => model.value(name));
    const rank = Math.max(a.dims.length, b.dims.length);
    const at = (dims, i) => dims[i - rank + dims.length] ?? 1;
    const dims = Array.from({ length: rank }, (_, i) => Math.max(at(a.dims, i), at(b.dims, i)));
    return model.add(operator, [a, b], dims, { activation });
  };

const unary =
  (operator) =>
  (model, { input }) => {
    const x = model.value(input[0]);
    return model.add(operator, [x], x.dims);
  };

/** The matrix is [outputs, inputs]. */
function fullyConnected(model, x, matrix, bias, activation) {
  const inputs = [x, model.constant(matrix), ...(bias ? [model.constant(bias)] : [])];
  return model.add('FULLY_CONNECTED', inputs, [...x.dims.slice(0, -1), matrix.dims[0]], { activation });
}

function reshape(model, x, dims) {
  return model.add('RESHAPE', [x], dims, { dims }, x.type);
}

/** What a window over a picture needs; its input is padded first if TensorFlow's own padding is not ONNX's. */
function windowed(model, x, size, { strides: [stride], pads: [pad] }) {
  const [n, height, width] = x.dims;
  const same = stride === 1 && pad === (size - 1) / 2;
  const [h, w] = [height, width].map((length) => Math.floor((length + 2 * pad - size) / stride) + 1);
  return { x: same || pad === 0 ? x : padded(model, x, pad), plane: [n, h, w], options: { same, stride } };
}

function padded(model, x, pad) {
  const [n, h, w, c] = x.dims;
  const amounts = model.constant({ data: [0, 0, pad, pad, pad, pad, 0, 0], dims: [4, 2] });
  return model.add('PAD', [x, amounts], [n, h + 2 * pad, w + 2 * pad, c]);
}

const activated = (activation) => (model, node) => {
  const before = model.made(node.input[0], 'Conv') ?? model.made(node.input[0], 'Add');
  if (!before) throw new Error(`no ${node.op} of its own for LiteRT here`);
  return model.convert(before, activation);
};

/** Each gives { tensor, dims, type }; an activation is the one that follows. */
export const converters = {
  Conv(model, { input, attribute }, activation) {
    const weights = model.known(input[1]);
    const [channels, , size] = weights.dims;
    const depthwise = attribute.group > 1;
    const filter = model.constant(transpose(weights, depthwise ? [1, 2, 3, 0] : [0, 2, 3, 1]));
    const { x, plane, options } = windowed(model, model.value(input[0]), size, attribute);
    return model.add(
      depthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D',
      [x, filter, model.value(input[2])],
      [...plane, channels],
      { ...options, activation },
    );
  },
  MaxPool(model, { input, attribute }) {
    // TensorFlow Lite pads by zeros; after a ReLU they are as good as −∞.
    if (!model.made(input[0], 'Relu')) throw new Error('no MaxPool of negative values for LiteRT here');
    const [kernel] = attribute.kernel_shape;
    const { x, plane, options } = windowed(model, model.value(input[0]), kernel, attribute);
    return model.add('MAX_POOL_2D', [x], [...plane, x.dims[3]], { ...options, kernel });
  },
  Relu: activated('relu'),
  Clip: activated('relu6'),
  Flatten(model, { input }) {
    const pool = model.made(input[0], 'GlobalAveragePool');
    if (!pool) throw new Error('no Flatten for LiteRT here, but of a GlobalAveragePool');
    const x = model.value(pool.input[0]);
    return model.add('MEAN', [x, model.constant({ data: [1, 2], dims: [2] })], [x.dims[0], x.dims[3]]);
  },
  Gemm: (model, { input: [x, matrix, bias] }) =>
    fullyConnected(model, model.value(x), model.known(matrix), model.known(bias)),
  MatMul(model, { input }) {
    const a = model.value(input[0]);
    const matrix = model.known(input[1]);
    if (matrix) return fullyConnected(model, a, transpose(matrix, [1, 0]));
    const b = model.value(input[1]);
    return model.add('BATCH_MATMUL', [a, b], [...a.dims.slice(0, -1), b.dims.at(-1)]);
  },
  Add(model, node, activation) {
    const product = model.made(node.input[0], 'MatMul');
    const matrix = product && model.known(product.input[1]);
    if (matrix) {
      const bias = model.known(node.input[1]);
      return fullyConnected(model, model.value(product.input[0]), transpose(matrix, [1, 0]), bias, activation);
    }
    return binary('ADD')(model, node, activation);
  },
  Sub: binary('SUB'),
  Div: binary('DIV'),
  Mul(model, node) {
    const gate = model.made(node.input[0], 'Mul');
    const sum = gate && model.made(gate.input[1], 'Add');
    if (sum && model.made(sum.input[0], 'Erf')) return unary('GELU')(model, gate);
    return binary('MUL')(model, node);
  },
  Pow: unary('SQUARE'),
  Sqrt: unary('SQRT'),
  Softmax: unary('SOFTMAX'),
  ReduceMean(model, { input }) {
    const x = model.value(input[0]);
    const last = model.constant({ data: [x.dims.length - 1], dims: [1] });
    return model.add('MEAN', [x, last], x.dims.with(-1, 1), { keepDims: true });
  },
  Cast(model, { input }) {
    const x = model.value(input[0]);
    return model.add('CAST', [x], x.dims, { from: 'int32', to: 'float32' });
  },
  Gather(model, { input }) {
    const [table, rows] = input.map((name) => model.value(name));
    return model.add('GATHER', [table, rows], [...rows.dims, table.dims[1]]);
  },
  Reshape(model, { input }) {
    const x = model.value(input[0]);
    return reshape(
      model,
      x,
      model.known(input[1]).data.map((dim, i) => dim || x.dims[i]),
    );
  },
  Unsqueeze(model, { input }) {
    const x = model.value(input[0]);
    const dims = [...x.dims];
    for (const axis of model.known(input[1]).data) dims.splice(axis, 0, 1);
    return reshape(model, x, dims);
  },
  Transpose(model, { input, attribute: { perm } }) {
    const x = model.value(input[0]);
    const order = model.constant({ data: perm, dims: [perm.length] });
    return model.add(
      'TRANSPOSE',
      [x, order],
      perm.map((axis) => x.dims[axis]),
    );
  },
};

/** What shapes decide, each as { data, dims } or undefined. */
export const folded = {
  Shape(model, { input }) {
    const { dims } = model.value(input[0]);
    return { data: dims, dims: [dims.length] };
  },
  Gather(model, { input }) {
    const [list, at] = input.map((name) => model.known(name));
    return at && { data: at.data.map((i) => list.data[i]), dims: at.dims };
  },
  Slice(model, { input }) {
    const [table, , end] = input.map((name) => model.known(name));
    const [rows] = end.data;
    return { data: table.data.subarray(0, rows * table.dims[1]), dims: [rows, table.dims[1]] };
  },
};
