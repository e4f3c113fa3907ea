// Which outputs of a session stay in its engine: those that the caller gives back as inputs, as decoders do with their
// caches. Copying them out and in again would be most of what a step costs.
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { Session } from '../api/session.js';
import { pairsByName } from '../stream/pairs.js';
import type { Tensor as EngineTensor } from '../values/tensor.js';
import { HeldTensor } from './held-tensor.js';
import { isCommon } from './values.js';

/** So many of one output stay in any case: the last, and the one it was made from. */
const most = 2;
/** So many runs of a loop pass between two looks at the engine's memory. */
const patience = 8;
/** What old outputs may take beside what the engine had when it was looked at last, and as much again. */
const margin = 64 * 2 ** 20;

export class Loops {
  readonly #session: Session;
  readonly #names: Set<string>;
  /** The outputs that were copied, to know them when they come back. */
  readonly #copied = new WeakMap<object, string>();
  /** By output, the oldest first. They are the callers': who forgets one gives it back. */
  readonly #held = new Map<string, WeakRef<HeldTensor>[]>();
  #runs = 0;
  /** After so many runs the references to what was collected go: each time twice as many, so that a run costs no more. */
  #tidyAt = 256;
  /** Bytes that the engine may have before old outputs leave it. */
  #allowed: number | undefined;

  constructor(session: Session, { preferredOutputLocation: preferred }: InferenceSession.SessionOptions) {
    this.#session = session;
    const locationOf = (name: string) => (typeof preferred === 'string' ? preferred : preferred?.[name]);
    const elsewhere = session.outputs.filter(
      ({ name, type }) => isCommon(type) && !(locationOf(name) ?? 'cpu').startsWith('cpu'),
    );
    this.#names = new Set(elsewhere.map(({ name }) => name));
    // A decoder's caches are known by their names, so that not even the first ones are copied: what a decoder makes of its
    // encoder's output comes from the first run and is given to all others.
    const caches = pairsByName(session).filter(({ axis, once }) => axis !== undefined || once);
    if (!session.engine.worker) for (const { output } of caches) this.#names.add(output);
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

  /** An output that stayed. */
  held(output: string, tensor: EngineTensor): HeldTensor {
    const made = new HeldTensor(tensor, this.#session);
    const all = this.#held.get(output) ?? [];
    all.push(new WeakRef(made));
    this.#held.set(output, all);
    return made;
  }

  /**
   * To be called behind each run. Whoever disposes nothing gets old outputs copied, so that the engine does not fill up: not
   * before its memory has doubled, for a cache that grows in place takes no more for those before it, and what nobody
   * refers to any more is collected sooner or later.
   */
  async relieve(): Promise<void> {
    if (this.#held.size === 0 || ++this.#runs % patience !== 0) return;
    if (this.#runs > this.#tidyAt) {
      for (const output of this.#held.keys()) this.#alive(output);
      this.#tidyAt = 2 * this.#runs;
    }
    const { heap } = await this.#session.memory();
    this.#allowed ??= 2 * heap + margin;
    if (heap <= this.#allowed) return;
    const old = [...this.#held.keys()].flatMap((output) => this.#alive(output).slice(0, -most));
    await Promise.all(old.map((tensor) => tensor.getData().catch(() => {})));
    this.#allowed = 2 * (await this.#session.memory()).heap + margin;
  }

  /** Copies what is still there out of an engine that is about to end. */
  async end(): Promise<void> {
    const all = [...this.#held.keys()].flatMap((output) => this.#alive(output));
    await Promise.all(all.map((tensor) => tensor.getData().catch(() => {})));
  }

  #alive(output: string): HeldTensor[] {
    const all = (this.#held.get(output) ?? []).map((each) => each.deref());
    const alive = all.filter((tensor): tensor is HeldTensor => tensor?.location === 'gpu-buffer');
    this.#held.set(
      output,
      alive.map((tensor) => new WeakRef(tensor)),
    );
    return alive;
  }
}
