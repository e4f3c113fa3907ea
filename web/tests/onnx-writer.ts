// Writes models of a few nodes.

import { encoded, numberOf } from '../../models/onnx/messages.js';
import { elementTypes } from '../src/values/dtypes.js';
import type { ValueType } from '../src/values/values.js';
import { parseType } from '../src/values/values.js';

/** A number that is not whole is a float. */
type Attribute = string | number | readonly string[] | readonly number[] | GraphSpec | WeightSpec;

/** The body of a loop, say. Types are named as in `session.inputs`, a tensor's with its shape where it has one: "float32[n,3]". */
export interface GraphSpec {
  nodes: NodeSpec[];
  inputs: Record<string, string>;
  outputs: Record<string, string>;
}

export interface NodeSpec {
  op: string;
  inputs: string[];
  outputs: string[];
  domain?: string;
  attributes?: Record<string, Attribute>;
}

/** A constant of float32. `file` says where its data are when they are not in the model, `offset` where in that file. */
export interface WeightSpec {
  dims: readonly number[];
  data?: readonly number[];
  file?: string;
  offset?: number;
}

export interface ModelSpec {
  opset?: number;
  /** Others that nodes are of, each in version 1. */
  domains?: readonly string[];
  weights?: Record<string, WeightSpec>;
}

/**
 * A model whose inputs and outputs have the types named as in `session.inputs`. A tensor may say its shape:
 * "float32[batch,3]", "?" for a dimension of which nothing is known.
 */
export function modelOf(
  nodes: NodeSpec[],
  inputs: Record<string, string>,
  outputs: Record<string, string>,
  { opset = 25, domains = [], weights = {} }: ModelSpec = {},
): Uint8Array<ArrayBuffer> {
  const initializer = Object.entries(weights).map(([name, spec]) => tensorProto(name, spec));
  return encoded('ModelProto', {
    ir_version: 10,
    graph: { ...graphProto({ nodes, inputs, outputs }), initializer },
    opset_import: [
      ...['ai.onnx.ml', ...domains].map((domain) => ({ domain, version: 1 })),
      { domain: '', version: opset },
    ],
  });
}

function tensorProto(name: string, { dims, data, file, offset }: WeightSpec): object {
  const about = { dims, data_type: numberOf('TensorProto.DataType', 'FLOAT'), name };
  if (file !== undefined) {
    const place = {
      location: file,
      ...(offset === undefined ? {} : { offset, length: 4 * dims.reduce((a, b) => a * b, 1) }),
    };
    const entries = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
    return { ...about, external_data: entries, data_location: 'EXTERNAL' };
  }
  return { ...about, raw_data: new Uint8Array(Float32Array.from(data ?? []).buffer) };
}

function graphProto({ nodes, inputs, outputs }: GraphSpec): object {
  const infos = (list: Record<string, string>) =>
    Object.entries(list).map(([name, type]) => ({ name, type: typeProto(type) }));
  return { node: nodes.map(nodeProto), name: 'graph', input: infos(inputs), output: infos(outputs) };
}

function nodeProto({ op, inputs, outputs, domain = '', attributes = {} }: NodeSpec): object {
  const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...attributeProto(value) }));
  return { input: inputs, output: outputs, op_type: op, attribute, domain };
}

function attributeProto(value: Attribute): object {
  if (typeof value === 'number')
    return Number.isInteger(value) ? { type: 'INT', i: value } : { type: 'FLOAT', f: value };
  if (typeof value === 'string') return { type: 'STRING', s: bytesOf(value) };
  if ('nodes' in value) return { type: 'GRAPH', g: graphProto(value) };
  if ('dims' in value) return { type: 'TENSOR', t: tensorProto('', value) };
  return value.every((item) => typeof item === 'string')
    ? { type: 'STRINGS', strings: value.map(bytesOf) }
    : { type: 'INTS', ints: value };
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

function shapeProto(dims: string): object {
  const dim = dims
    .split(',')
    .filter((each) => each !== '')
    .map((each) => (each === '?' ? {} : /^\d+$/.test(each) ? { dim_value: each } : { dim_param: each }));
  return { dim };
}

function typeProto(name: string): object {
  const [, of = name, dims] = /^(\w+)\[(.*)\]$/.exec(name) ?? [];
  const shape = dims === undefined ? {} : { shape: shapeProto(dims) };
  const proto = (type: ValueType): object => {
    switch (type.kind) {
      case 'tensor':
        return { tensor_type: { elem_type: elementTypes[type.type].number, ...shape } };
      case 'sequence':
        return { sequence_type: { elem_type: proto(type.element) } };
      case 'map':
        return { map_type: { key_type: elementTypes[type.key].number, value_type: proto(type.element) } };
      case 'optional':
        return { optional_type: { elem_type: proto(type.element) } };
    }
  };
  return proto(parseType(of));
}
