// Values that stay in an engine: where each is, and how long.

import { asNeuromancerError, NeuromancerError } from '../api/errors.js';
import type { TypedArray } from '../values/dtypes.js';

/** A value of an engine, or the values of a stream's state. */
export type Handle = number | readonly number[];
export type Elements = TypedArray | readonly string[];

/** What an engine does for the values in it. */
export interface Keeper {
  /** A copy of the elements: at once where the engine is in this thread, a promise where it is in another. */
  read(handle: number): Elements | Promise<Elements>;
  drop(handle: Handle): void;
}

/** An engine as its values know it. It is empty once the engine has ended, so that they keep no memory alive. */
export class Home {
  keeper: Keeper | undefined;
  /** Whether values can be read without waiting. */
  readonly here: boolean;
  end = '';
  /** Of an engine that goes on when the home closes: the values to be dropped then. */
  readonly #held: Set<Handle> | undefined;

  constructor(here: boolean, keeper: Keeper, engineGoesOn = false) {
    this.here = here;
    this.keeper = keeper;
    this.#held = engineGoesOn ? new Set() : undefined;
  }

  /** `what` is "float32[1,3]", say. */
  hold(handle: Handle, what: string): Reference {
    this.#held?.add(handle);
    return new Reference({ home: this, handle, what, readers: 0 });
  }

  drop(handle: Handle): void {
    this.#held?.delete(handle);
    this.keeper?.drop(handle);
  }

  close(why: string): void {
    for (const handle of this.#held ?? []) this.keeper?.drop(handle);
    this.#held?.clear();
    this.keeper = undefined;
    this.end ||= why;
  }
}

/** One value, which several tensors may share: it is dropped with the last of them. */
interface Held {
  readonly home: Home;
  readonly handle: Handle;
  readonly what: string;
  readers: number;
}

/** What one tensor has of a value in an engine. */
export class Reference {
  readonly #held: Held;
  #copy: Elements | undefined;
  #freed = false;

  constructor(held: Held) {
    this.#held = held;
    held.readers += 1;
  }

  share(): Reference {
    this.#keeper();
    return new Reference(this.#held);
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#copy = undefined;
    this.#held.readers -= 1;
    if (this.#held.readers === 0) this.#held.home.drop(this.#held.handle);
  }

  /** The value's handle for a run in that engine. */
  handleIn<T extends Handle = number>(home: Home): T {
    this.#keeper();
    const { home: own, handle, what } = this.#held;
    if (own === home) return handle as T;
    throw new NeuromancerError(
      'invalid_argument',
      `The ${what} stays in the engine of another session, and sessions share no memory; pass a copy: ` +
        'new Tensor(tensor.type, await tensor.getData(), tensor.shape).',
    );
  }

  /** The elements, copied at the first look. */
  data(): Elements {
    const keeper = this.#keeper();
    const { home, handle, what } = this.#held;
    if (this.#copy === undefined) {
      if (!home.here) {
        throw new NeuromancerError(
          'invalid_argument',
          `The data of the ${what} stay in the session's worker; wait for them: await tensor.getData().`,
        );
      }
      try {
        this.#copy = keeper.read(handle as number) as Elements;
      } catch (error) {
        throw asNeuromancerError(error, 'internal', `The ${what} could not be read`);
      }
    }
    return this.#copy;
  }

  async load(): Promise<Elements> {
    const keeper = this.#keeper();
    if (this.#copy !== undefined || this.#held.home.here) return this.data();
    const copy = await keeper.read(this.#held.handle as number);
    if (!this.#freed) this.#copy = copy;
    return copy;
  }

  #keeper(): Keeper {
    const { home, what } = this.#held;
    const { keeper, end } = home;
    if (this.#freed) {
      throw new NeuromancerError('invalid_data', `The ${what} was disposed; read it before, or dispose it later.`);
    }
    if (keeper !== undefined) return keeper;
    throw new NeuromancerError('session_closed', `The ${what} stayed in an engine that has ended: ${end}.`);
  }
}

/** Values whose tensors nobody disposed go with the last reference to the tensor. */
export const forgotten = new FinalizationRegistry<Reference>((reference) => reference.free());
