// The measured convolutional networks as a tfjs-wasm program: the same weights, channels last, with tfjs's own fused
// convolutions, as its converter would write them.
import { readGraph } from './onnx-graph.mjs';

async function script(url) {
  const element = document.createElement('script');
  element.src = url;
  const loaded = new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${url} did not load`));
  });
  document.head.append(element);
  await loaded;
}

export async function tfjsWasm({ threads }) {
  await script('/node_modules/protobufjs/dist/protobuf.min.js');
  await script('/node_modules/@tensorflow/tfjs-core/dist/tf-core.min.js');
  await script('/node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js');
  const { tf, protobuf } = window;
  tf.wasm.setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
  tf.wasm.setThreadsCount(threads);
  await tf.setBackend('wasm');

  return {
    async load(bytes) {
      const graph = readGraph(protobuf, await (await fetch('/onnx/schema.json')).json(), bytes);
      const steps = program(tf, graph);
      return {
        run: (x) =>
          tf.tidy(() =>
            steps.reduce((values, step) => step(values), new Map([[graph.inputs[0], x]])).get(graph.output),
          ),
        label: 'tfjs-wasm',
      };
    },
    // Channels last once and for all: a program for tfjs keeps its pictures so.
    prepare: ([{ dims, data }]) => {
      const given = tf.tensor(data, dims);
      return dims.length === 4 ? tf.transpose(given, [0, 2, 3, 1]) : given;
    },
    async run({ run }, x) {
      const y = run(x);
      const data = await y.data();
      const shape = y.shape;
      y.dispose();
      return { data, shape };
    },
    outputs: ({ data, shape }) => {
      if (shape.length !== 4) return [{ data, dims: shape }];
      const back = tf.transpose(tf.tensor(data, shape), [0, 3, 1, 2]);
      return [{ data: back.dataSync(), dims: back.shape }];
    },
  };
}

function program(tf, { nodes, weights }) {
  const tensor = (name) => tf.tensor(weights.get(name).data, weights.get(name).dims);
  const readers = new Map();
  for (const node of nodes) for (const input of node.input) readers.set(input, [...(readers.get(input) ?? []), node]);

  // The activation that alone reads a value becomes part of what makes the value.
  const fused = new Set();
  const activation = (value) => {
    const [reader, ...others] = readers.get(value) ?? [];
    if (others.length > 0 || !['Relu', 'Clip'].includes(reader?.op)) return { name: undefined, value };
    fused.add(reader);
    return { name: reader.op === 'Relu' ? 'relu' : 'relu6', value: reader.output[0] };
  };

  const steps = [];
  for (const node of nodes) {
    if (fused.has(node)) continue;
    const { op, input, attribute } = node;
    const result = op === 'Conv' ? activation(node.output[0]) : { value: node.output[0] };
    const step = makers[op]?.(tf, { input, attribute, tensor, activation: result.name });
    if (!step) throw new Error(`no ${op} for tfjs here`);
    steps.push((values) =>
      values.set(
        result.value,
        step((name) => values.get(name)),
      ),
    );
  }
  return steps;
}

const makers = {
  Conv(tf, { input: [x, w, b], attribute, tensor, activation }) {
    const depthwise = attribute.group > 1;
    const filter = tf.transpose(tensor(w), depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]);
    const bias = tensor(b);
    const options = { filter, bias, strides: attribute.strides, pad: attribute.pads[0], activation };
    return (value) => (depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d)({ x: value(x), ...options });
  },
  MaxPool:
    (tf, { input: [x], attribute }) =>
    (value) =>
      tf.maxPool(value(x), attribute.kernel_shape, attribute.strides, attribute.pads[0]),
  Add:
    (tf, { input: [a, b] }) =>
    (value) =>
      tf.add(value(a), value(b)),
  Relu:
    (tf, { input: [x] }) =>
    (value) =>
      tf.relu(value(x)),
  Clip:
    (tf, { input: [x] }) =>
    (value) =>
      tf.relu6(value(x)),
  GlobalAveragePool:
    (tf, { input: [x] }) =>
    (value) =>
      tf.mean(value(x), [1, 2]),
  Flatten:
    (_, { input: [x] }) =>
    (value) =>
      value(x),
  Gemm(tf, { input: [x, w, b], tensor }) {
    const [matrix, bias] = [tf.transpose(tensor(w)), tensor(b)];
    return (value) => tf.fused.matMul({ a: value(x), b: matrix, bias });
  },
  MatMul(tf, { input: [x, w], tensor }) {
    const matrix = tensor(w);
    return (value) => tf.matMul(value(x), matrix);
  },
};
