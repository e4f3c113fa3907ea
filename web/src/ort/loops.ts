// Which outputs of a session stay in its engine: those that the caller gives back as inputs, as decoders do with their
// caches. Copying them out and in again would be most of what a step costs.
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { Session } from '../session.js';
import type { Tensor as EngineTensor } from '../tensor.js';
import { HeldTensor } from './held-tensor.js';
import { isCommon } from './values.js';

/** So many of one output stay: the last, and the one it was made from. */
const most = 2;

export class Loops {
  readonly #session: Session;
  readonly #names: Set<string>;
  /** The outputs that were copied, to know them when they come back. */
  readonly #copied = new WeakMap<object, string>();
  /** By output, the oldest first. They are the callers': who forgets one gives it back. */
  readonly #held = new Map<string, WeakRef<HeldTensor>[]>();

  constructor(session: Session, { preferredOutputLocation: preferred }: InferenceSession.SessionOptions) {
    this.#session = session;
    const locationOf = (name: string) => (typeof preferred === 'string' ? preferred : preferred?.[name]);
    const elsewhere = session.outputs.filter(
      ({ name, type }) => isCommon(type) && !(locationOf(name) ?? 'cpu').startsWith('cpu'),
    );
    this.#names = new Set(elsewhere.map(({ name }) => name));
  }

  has(output: string): boolean {
    return this.#names.has(output);
  }

  /** An output that was copied: if it comes back, the next ones need not be. */
  copied(output: string, tensor: Tensor): void {
    if (isCommon(tensor.type)) this.#copied.set(tensor, output);
  }

  /**
   * Sees the inputs of a run. In a worker values could not be read without waiting, which callers who were not told so
   * need not do: there only what they prefer to be elsewhere stays.
   */
  see(inputs: readonly unknown[]): void {
    if (this.#session.engine.worker) return;
    for (const input of inputs) {
      const output = this.#copied.get(input as object);
      if (output !== undefined) this.#names.add(output);
    }
  }

  /** An output that stayed. Whoever disposes none of them gets the older ones copied, so that the engine does not fill up. */
  held(output: string, tensor: EngineTensor): HeldTensor {
    const made = new HeldTensor(tensor, this.#session);
    const all = [...this.#alive(output), made];
    for (const old of all.splice(0, all.length - most)) void old.getData().catch(() => {});
    this.#held.set(
      output,
      all.map((each) => new WeakRef(each)),
    );
    return made;
  }

  /** Copies what is still there out of an engine that is about to end. */
  async end(): Promise<void> {
    const all = [...this.#held.keys()].flatMap((output) => this.#alive(output));
    await Promise.all(all.map((tensor) => tensor.getData().catch(() => {})));
  }

  #alive(output: string): HeldTensor[] {
    const all = (this.#held.get(output) ?? []).map((each) => each.deref());
    return all.filter((tensor): tensor is HeldTensor => tensor?.location === 'gpu-buffer');
  }
}
