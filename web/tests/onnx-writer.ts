// Writes models of a few nodes: just the fields of ONNX's schema that these tests need.

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

/** A constant of float32. `file` says where its data are when they are not in the model. */
export interface WeightSpec {
  dims: readonly number[];
  data?: readonly number[];
  file?: string;
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
  { opset: version = 25, domains = [], weights = {} }: ModelSpec = {},
): Uint8Array {
  const opset = (domain: string, of: number) => message(8, [...text(1, domain), ...integer(2, of)]);
  const graph = [
    ...graphProto({ nodes, inputs, outputs }),
    ...Object.entries(weights).flatMap(([name, spec]) => message(5, weightProto(name, spec))),
  ];
  const others = ['ai.onnx.ml', ...domains].flatMap((domain) => opset(domain, 1));
  return Uint8Array.from([...integer(1, 10), ...message(7, graph), ...opset('', version), ...others]);
}

function weightProto(name: string, { dims, data, file }: WeightSpec): number[] {
  const about = [...dims.flatMap((dim) => integer(1, dim)), ...integer(2, 1), ...text(8, name)];
  if (file !== undefined) {
    return [...about, ...message(13, [...text(1, 'location'), ...text(2, file)]), ...integer(14, 1)];
  }
  return [...about, ...message(9, [...new Uint8Array(Float32Array.from(data ?? []).buffer)])];
}

function graphProto({ nodes, inputs, outputs }: GraphSpec): number[] {
  const ports = (list: Record<string, string>, field: number) =>
    Object.entries(list).flatMap(([name, type]) => message(field, [...text(1, name), ...message(2, typeProto(type))]));
  const graph = [...nodes.flatMap((spec) => message(1, nodeProto(spec))), ...text(2, 'graph')];
  graph.push(...ports(inputs, 11), ...ports(outputs, 12));
  return graph;
}

function nodeProto({ op, inputs, outputs, domain, attributes }: NodeSpec): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, op),
    ...Object.entries(attributes ?? {}).flatMap(([name, value]) => message(5, attribute(name, value))),
    ...text(7, domain ?? ''),
  ];
}

function attribute(name: string, value: Attribute): number[] {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    return [...text(1, name), 2 * 8 + 5, ...new Uint8Array(Float32Array.of(value).buffer), ...integer(20, 1)];
  }
  if (typeof value === 'number') return [...text(1, name), ...integer(3, value), ...integer(20, 2)];
  if (typeof value === 'string') return [...text(1, name), ...text(4, value), ...integer(20, 3)];
  if ('nodes' in value) return [...text(1, name), ...message(6, graphProto(value)), ...integer(20, 5)];
  if ('dims' in value) return [...text(1, name), ...message(5, weightProto('', value)), ...integer(20, 4)];
  const strings = value.every((item) => typeof item === 'string');
  const items = value.flatMap((item) => (typeof item === 'string' ? text(9, item) : integer(8, item)));
  return [...text(1, name), ...items, ...integer(20, strings ? 8 : 7)];
}

function shapeProto(dims: string): number[] {
  const dim = (text_: string) =>
    text_ === '?' ? [] : /^\d+$/.test(text_) ? integer(1, Number(text_)) : text(2, text_);
  return message(
    2,
    dims.split(',').flatMap((each) => (each === '' ? [] : message(1, dim(each)))),
  );
}

function typeProto(name: string): number[] {
  const proto = (type: ValueType): number[] => {
    switch (type.kind) {
      case 'tensor':
        return message(1, [...integer(1, elementTypes[type.type].number), ...shape]);
      case 'sequence':
        return message(4, message(1, proto(type.element)));
      case 'map':
        return message(5, [...integer(1, elementTypes[type.key].number), ...message(2, proto(type.element))]);
      case 'optional':
        return message(9, message(1, proto(type.element)));
    }
  };
  const [, of = name, dims] = /^(\w+)\[(.*)\]$/.exec(name) ?? [];
  const shape = dims === undefined ? [] : shapeProto(dims);
  return proto(parseType(of));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

const integer = (field: number, value: number) => [...varint(field * 8), ...varint(value)];
const message = (field: number, bytes: readonly number[]) => [
  ...varint(field * 8 + 2),
  ...varint(bytes.length),
  ...bytes,
];
const text = (field: number, value: string) => message(field, [...new TextEncoder().encode(value)]);
