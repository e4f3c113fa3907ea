// The small models that the behaviour is asked of.
import { type ModelSpec, modelOf, type NodeSpec } from '../../web/tests/onnx-writer.ts';

const node = (op: string, inputs: string[], outputs: string[], more: Partial<NodeSpec> = {}): NodeSpec => ({
  op,
  inputs,
  outputs,
  ...more,
});

/** An opset that both packages know. */
const opset = 21;
const model = (
  nodes: NodeSpec[],
  inputs: Record<string, string>,
  outputs: Record<string, string>,
  more: ModelSpec = {},
) => modelOf(nodes, inputs, outputs, { opset, ...more });

export const models = {
  /** total = a + b, product = a · b */
  arithmetic: model(
    [node('Add', ['a', 'b'], ['total']), node('Mul', ['a', 'b'], ['product'])],
    { a: 'float32[batch,3]', b: 'float32[3]' },
    { total: 'float32[batch,3]', product: 'float32[batch,3]' },
  ),
  identity: (type: string) =>
    model([node('Identity', ['x'], ['y'])], { x: `${type}[rows,columns]` }, { y: `${type}[rows,columns]` }),
  /** y = x · factor, a scalar */
  scaled: model([node('Mul', ['x', 'factor'], ['y'])], { x: 'float32[n]', factor: 'float32[]' }, { y: 'float32[n]' }),
  joined: model(
    [node('Concat', ['x', 'z'], ['y'], { attributes: { axis: 0 } })],
    { x: 'float32[n,2]', z: 'float32[m,2]' },
    { y: 'float32[k,2]' },
  ),
  /** A dimension without a name, and an output of which no shape is known. */
  vague: model([node('Relu', ['x'], ['y'])], { x: 'float32[?,2]' }, { y: 'float32' }),
  /** y = x + w, where w is an input that has a value of its own. */
  withDefault: model(
    [node('Add', ['x', 'w'], ['y'])],
    { x: 'float32[2]', w: 'float32[2]' },
    { y: 'float32[2]' },
    { weights: { w: { dims: [2], data: [10, 20] } } },
  ),
  /** y = x + w, w in a file beside the model. */
  withFile: (file: string) =>
    model(
      [node('Add', ['x', 'w'], ['y'])],
      { x: 'float32[2]' },
      { y: 'float32[2]' },
      { weights: { w: { dims: [2], file } } },
    ),
  sequence: model(
    [node('SequenceConstruct', ['a', 'b'], ['s'])],
    { a: 'float32[2]', b: 'float32[2]' },
    { s: 'sequence(float32)' },
  ),
  /** next = state + x, y = next · next: a state that goes round. */
  loop: model(
    [node('Add', ['state', 'x'], ['next']), node('Mul', ['next', 'next'], ['y'])],
    { state: 'float32[rows,2]', x: 'float32[1,2]' },
    { y: 'float32[rows,2]', next: 'float32[rows,2]' },
  ),
  /** A cache whose names say so. */
  cache: model(
    [node('Concat', ['past.0', 'x'], ['present.0'], { attributes: { axis: 0 } })],
    { 'past.0': 'float32[past,2]', x: 'float32[1,2]' },
    { 'present.0': 'float32[all,2]' },
  ),
  reshaped: model(
    [node('Reshape', ['x', 'shape'], ['y'])],
    { x: 'float32[n]', shape: 'int64[2]' },
    { y: 'float32[rows,columns]' },
  ),
  /** An operator that is nowhere. */
  unknownOperator: model([node('Frobnicate', ['x'], ['y'])], { x: 'float32[2]' }, { y: 'float32[2]' }),
};

/** What `withFile` adds. */
export const fileOfWeights = new Uint8Array(Float32Array.of(10, 20).buffer);
