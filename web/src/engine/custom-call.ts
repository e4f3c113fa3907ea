// A custom operator's node as the engine tells of it while a run waits.
import type { CustomAttribute, CustomNode, Declaration } from '../api/custom.js';
import type { Tensor } from '../values/tensor.js';
import { tensorToScalars, type Value, type ValueType } from '../values/values.js';
import type { Engine } from './engine.js';
import { bytesOf, newValue, readValues } from './exchange.js';
import type { Home } from './held.js';

/** Tells the engine of the operators that its model may have. */
export function declare(engine: Engine, model: number, declarations: readonly Declaration[]): void {
  for (const { domain, name, types, like } of declarations) {
    const lists = [types, like].map((list) => bytesOf(Int32Array.from(list)));
    engine.with([engine.encode(domain), engine.encode(name), ...lists], (...at) => {
      const [domainAt, nameAt, typesAt, likeAt] = at as [number, number, number, number];
      engine.checkCount(engine.exports.nm_custom_operator(model, domainAt, nameAt, typesAt, likeAt, types.length));
    });
  }
}

/** What nm_waiting says. */
interface Waiting {
  domain: string;
  operator: string;
  node: string;
  inputs: number;
  outputs: number;
  attributes: { name: string; kind: string }[];
}

/** The nodes that a session's runs wait for. */
export class CustomCalls {
  readonly #engine: Engine;
  readonly #session: number;
  /** By what nm_waiting returns. */
  readonly #nodes = new Map<number, { node: CustomNode; inputs: number }>();

  constructor(engine: Engine, session: number) {
    this.#engine = engine;
    this.#session = session;
  }

  /** The node that the run waits for. */
  waiting(): { node: CustomNode; inputs: Value[] } | undefined {
    const { nm_waiting, nm_waiting_input } = this.#engine.exports;
    const address = nm_waiting(this.#session);
    if (address === 0) return undefined;
    const known = this.#nodes.get(address) ?? this.#read(address);
    this.#nodes.set(address, known);
    const { node, inputs } = known;
    return { node, inputs: Array.from({ length: inputs }, (_, i) => this.#value(nm_waiting_input(this.#session, i))) };
  }

  give(outputs: readonly Value[], home: Home): void {
    const { nm_give_output } = this.#engine.exports;
    outputs.forEach((value, i) => {
      const given = value === undefined ? 0 : newValue(this.#engine, value, typeOf(value), home);
      this.#engine.checkCount(nm_give_output(this.#session, i, given));
    });
  }

  #value(address: number): Value {
    return address === 0 ? undefined : readValues(this.#engine, [address], 'copy')[0];
  }

  #read(address: number): { node: CustomNode; inputs: number } {
    const { nm_waiting_attribute } = this.#engine.exports;
    const { node: name, inputs, attributes: listed, ...said } = this.#engine.json<Waiting>(address);
    const attributes = Object.fromEntries(
      listed.map((attribute, i) => [
        attribute.name,
        attributeOf(attribute.kind, this.#value(nm_waiting_attribute(this.#session, i))),
      ]),
    );
    return { node: { ...said, name, attributes }, inputs };
  }
}

/** checkedTensor has seen to it. */
function typeOf(value: Value): ValueType {
  return { kind: 'tensor', type: (value as Tensor).type };
}

function attributeOf(kind: string, value: Value): CustomAttribute {
  if (kind === 'tensor') return value as Tensor;
  const scalars = tensorToScalars(value as Tensor);
  return kind.endsWith('s') ? scalars : (scalars[0] as CustomAttribute);
}
