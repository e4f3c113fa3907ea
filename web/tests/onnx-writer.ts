// Writes models of a few nodes: just the fields of ONNX's schema that these tests need.

import { type DType, elementTypes } from '../src/dtypes.js';
import type { ValueType } from '../src/values.js';
import { parseType } from '../src/values.js';

type Attribute = string | number | readonly string[] | readonly number[] | GraphSpec;

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

/** A model whose inputs and outputs have the types named as in `session.inputs`. */
export function modelOf(
  nodes: NodeSpec[],
  inputs: Record<string, string>,
  outputs: Record<string, string>,
): Uint8Array {
  const opset = (domain: string, version: number) => message(8, [...text(1, domain), ...integer(2, version)]);
  const graph = graphProto({ nodes, inputs, outputs });
  return Uint8Array.from([...integer(1, 10), ...message(7, graph), ...opset('', 25), ...opset('ai.onnx.ml', 1)]);
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
  if (typeof value === 'number') return [...text(1, name), ...integer(3, value), ...integer(20, 2)];
  if (typeof value === 'string') return [...text(1, name), ...text(4, value), ...integer(20, 3)];
  if ('nodes' in value) return [...text(1, name), ...message(6, graphProto(value)), ...integer(20, 5)];
  const strings = value.every((item) => typeof item === 'string');
  const items = value.flatMap((item) => (typeof item === 'string' ? text(9, item) : integer(8, item)));
  return [...text(1, name), ...items, ...integer(20, strings ? 8 : 7)];
}

function typeProto(name: string): number[] {
  const proto = (type: ValueType): number[] => {
    switch (type.kind) {
      case 'tensor': {
        const [, element = '', shape] = /^(\w+)(?:\[(.*)\])?$/.exec(type.type) ?? [];
        const dims = shape === '' ? [] : shape?.split(',');
        const number = integer(1, elementTypes[element as DType].number);
        return message(1, dims === undefined ? number : [...number, ...message(2, dims.flatMap(dimension))]);
      }
      case 'sequence':
        return message(4, message(1, proto(type.element)));
      case 'map':
        return message(5, [...integer(1, elementTypes[type.key].number), ...message(2, proto(type.element))]);
      case 'optional':
        return message(9, message(1, proto(type.element)));
    }
  };
  return proto(parseType(name));
}

/** A number, or a name. */
function dimension(dim: string): number[] {
  return message(1, /^\d+$/.test(dim) ? integer(1, Number(dim)) : text(2, dim));
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
