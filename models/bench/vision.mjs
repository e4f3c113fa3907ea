// Convolutional networks for pictures of 224 by 224. Weights are scaled so that activations neither vanish nor grow.
import { GraphWriter } from './onnx-writer.mjs';

const picture = { name: 'input', type: 'float32', dims: [1, 3, 224, 224] };

/** A convolution with bias, padded to keep the size at stride 1. `gain`: the variance it gives; 2 before a ReLU. */
function convolution(graph, input, { from, to, kernel, stride = 1, groups = 1, gain = 2 }) {
  const fanIn = (from / groups) * kernel * kernel;
  const pad = (kernel - 1) / 2;
  const weight = graph.weight([to, from / groups, kernel, kernel], Math.sqrt((3 * gain) / fanIn));
  return graph.node('Conv', [input, weight, graph.weight([to], 0.1)], {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    dilations: [1, 1],
    group: groups,
  });
}

function classifier(graph, input, features) {
  const pooled = graph.node('Flatten', [graph.node('GlobalAveragePool', [input])], { axis: 1 });
  const matrix = graph.weight([1000, features], Math.sqrt(3 / features));
  return graph.node('Gemm', [pooled, matrix, graph.weight([1000], 0.1)], { transB: 1 });
}

/** Sandler et al. 2018, width 1.0: expansion, channels, repeats and first stride of each stage. */
export function mobilenetV2() {
  const stages = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ];
  const graph = new GraphWriter(1);
  const [zero, six] = [graph.scalar(0), graph.scalar(6)];
  const relu6 = (input) => graph.node('Clip', [input, zero, six]);
  let channels = 32;
  let value = relu6(convolution(graph, picture.name, { from: 3, to: channels, kernel: 3, stride: 2 }));
  for (const [expansion, to, repeats, firstStride] of stages) {
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? firstStride : 1;
      const wide = channels * expansion;
      let inner = value;
      if (expansion > 1) inner = relu6(convolution(graph, inner, { from: channels, to: wide, kernel: 1 }));
      inner = relu6(convolution(graph, inner, { from: wide, to: wide, kernel: 3, stride, groups: wide }));
      inner = convolution(graph, inner, { from: wide, to, kernel: 1, gain: 1 });
      value = stride === 1 && channels === to ? graph.node('Add', [value, inner]) : inner;
      channels = to;
    }
  }
  value = relu6(convolution(graph, value, { from: channels, to: 1280, kernel: 1 }));
  const output = classifier(graph, value, 1280);
  return graph.model('mobilenetv2', [picture], [{ name: output, type: 'float32', dims: [1, 1000] }]);
}

/** He et al. 2015 with the stride on the 3×3 convolution; batch normalisation folded into the convolutions. */
export function resnet50() {
  const stages = [
    [64, 3, 1],
    [128, 4, 2],
    [256, 6, 2],
    [512, 3, 2],
  ];
  const graph = new GraphWriter(2);
  const relu = (input) => graph.node('Relu', [input]);
  let channels = 64;
  let value = relu(convolution(graph, picture.name, { from: 3, to: channels, kernel: 7, stride: 2 }));
  value = graph.node('MaxPool', [value], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  for (const [middle, blocks, firstStride] of stages) {
    for (let i = 0; i < blocks; i++) {
      const stride = i === 0 ? firstStride : 1;
      const to = middle * 4;
      let inner = relu(convolution(graph, value, { from: channels, to: middle, kernel: 1 }));
      inner = relu(convolution(graph, inner, { from: middle, to: middle, kernel: 3, stride }));
      inner = convolution(graph, inner, { from: middle, to, kernel: 1, gain: 0.25 });
      const shortcut = i === 0 ? convolution(graph, value, { from: channels, to, kernel: 1, stride, gain: 1 }) : value;
      value = relu(graph.node('Add', [inner, shortcut]));
      channels = to;
    }
  }
  const output = classifier(graph, value, channels);
  return graph.model('resnet50', [picture], [{ name: output, type: 'float32', dims: [1, 1000] }]);
}

/** Six 3×3 convolutions of 64 channels on 56 by 56. */
export function convolutionStack() {
  const graph = new GraphWriter(3);
  let value = 'input';
  for (let i = 0; i < 6; i++) value = graph.node('Relu', [convolution(graph, value, { from: 64, to: 64, kernel: 3 })]);
  const plane = (name) => ({ name, type: 'float32', dims: [1, 64, 56, 56] });
  return graph.model('conv3x3x64', [plane('input')], [plane(value)]);
}
