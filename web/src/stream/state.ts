// What a stream carries from run to run inside the engine. Here, and not with the backends that call it, so that nobody has
// the code who has no stream.

import { NeuromancerError } from '../api/errors.js';
import type { Session } from '../api/session.js';
import { kinds } from '../engine/c-abi.js';
import type { Engine } from '../engine/engine.js';
import { allOrNone, shareValue, sizeAlong } from '../engine/exchange.js';
import type { Home, Reference } from '../engine/held.js';
import type { Pair } from './pairs.js';

/** Which inputs take which outputs of the run before. */
export interface StateForm {
  readonly parts: readonly StatePart[];
  readonly inputs: ReadonlySet<number>;
  readonly outputs: ReadonlySet<number>;
}

export interface StatePart {
  /** The numbers of the input that takes it, and of the output that the next run has for it. */
  readonly input: number;
  readonly output: number;
  /** The output's name. */
  readonly name: string;
  /** The axis that grows. */
  readonly axis: number | undefined;
}

/** Without what is computed once. */
export function formOf({ inputs, outputs }: Session, pairs: readonly Pair[]): StateForm {
  const parts = pairs
    .filter(({ once }) => !once)
    .map(({ input, output: name, axis }) => {
      const output = outputs.findIndex((info) => info.name === name);
      return { input: inputs.indexOf(input), output, name, axis };
    });
  return {
    parts,
    inputs: new Set(parts.map(({ input }) => input)),
    outputs: new Set(parts.map(({ output }) => output)),
  };
}

export function leftOut(output: string): NeuromancerError {
  return new NeuromancerError('invalid_model', `The model left its state "${output}" out.`);
}

/** A state as it comes from a worker. */
export interface StateRecord {
  readonly kept: number;
  readonly length: number;
}

/** States that nobody disposed go with the last reference to them. */
const forgotten = new FinalizationRegistry<Reference>((reference) => reference.free());

/**
 * Values that go from run to run together: a decoder's cache is sixty tensors, and an object for each of them at each token
 * would cost more than the calls of the engine. Like a tensor in the engine it never changes and is shared by counting.
 * Before the first run there are none yet.
 */
export class State {
  readonly form: StateForm;
  /** The positions in the first part that grows; 0 where none does. */
  readonly length: number;
  readonly reference: Reference | undefined;

  constructor(form: StateForm, length = 0, reference?: Reference) {
    this.form = form;
    this.length = length;
    this.reference = reference;
    if (reference !== undefined) forgotten.register(this, reference, this);
  }

  next(home: Home, handle: number | readonly number[], length: number): State {
    return new State(this.form, length, home.hold(handle, 'state of a stream'));
  }

  share(): State {
    return new State(this.form, this.length, this.reference?.share());
  }

  dispose(): void {
    this.reference?.free();
    forgotten.unregister(this);
  }

  /** How many inputs it gives. */
  get size(): number {
    return this.reference === undefined ? 0 : this.form.parts.length;
  }

  gives(input: number): boolean {
    return this.reference !== undefined && this.form.inputs.has(input);
  }

  takes(output: number): boolean {
    return this.form.outputs.has(output);
  }

  /** Gives the session its inputs. @internal */
  bind(engine: Engine, session: number, home: Home): void {
    const { nm_input_value } = engine.exports;
    this.#handles(home).forEach((value, i) => {
      const { input } = this.form.parts[i] as StatePart;
      engine.checkCount(nm_input_value(session, input, shareValue(engine, value)));
    });
  }

  /** The state after the session's run. @internal */
  take(engine: Engine, session: number, home: Home): State {
    const { nm_take_output, nm_value_kind, nm_free_value } = engine.exports;
    const { parts } = this.form;
    const values = allOrNone(engine, parts, ({ output }) => engine.checkPointer(nm_take_output(session, output)));
    try {
      const missing = parts.find((_, i) => nm_value_kind(values[i] as number) !== kinds.tensor);
      if (missing !== undefined) throw leftOut(missing.name);
      const grows = parts.findIndex(({ axis }) => axis !== undefined);
      const { axis } = parts[grows] ?? {};
      const length = axis === undefined ? 0 : sizeAlong(engine, values[grows] as number, axis);
      return this.next(home, values, length);
    } catch (error) {
      for (const value of values) nm_free_value(value);
      throw error;
    }
  }

  /** Each one for the caller to free; with a length, only its first positions. @internal */
  *values(engine: Engine, home: Home, length: number | undefined): Generator<number> {
    for (const [i, value] of this.#handles(home).entries()) {
      const { axis } = this.form.parts[i] as StatePart;
      yield length === undefined
        ? shareValue(engine, value)
        : engine.checkPointer(engine.exports.nm_shorten_value(value, axis as number, length));
    }
  }

  #handles(home: Home): readonly number[] {
    return this.reference?.handleIn<readonly number[]>(home) ?? [];
  }
}
