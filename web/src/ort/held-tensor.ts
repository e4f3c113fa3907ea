import { Tensor } from 'onnxruntime-common';
import type { Session } from '../api/session.js';
import type { Tensor as EngineTensor } from '../values/tensor.js';
import { TensorBase } from './tensor-base.js';

/**
 * An output that stays in the engine until somebody looks at its data; from then on it is like any other. Until then its
 * location is "gpu-buffer", the one for which applications and libraries have a habit: they wait for `getData()` and call
 * `dispose()`.
 */
export class HeldTensor extends TensorBase {
  readonly type: string;
  dims: readonly number[];
  readonly size: number;
  /** The session in whose engine it is. */
  readonly owner: Session;
  #held: EngineTensor | undefined;
  #data: Tensor.DataType | undefined;

  constructor(held: EngineTensor, owner: Session) {
    super('uint8', new Uint8Array(0), [0]);
    this.type = held.type;
    this.dims = held.shape;
    this.size = held.size;
    this.owner = owner;
    this.#held = held;
  }

  /** What the engine has, if it is there still and nobody has given it other dimensions. */
  get inEngine(): EngineTensor | undefined {
    return String(this.#held?.shape) === String(this.dims) ? this.#held : undefined;
  }

  get location(): Tensor.DataLocation {
    if (this.#held !== undefined) return 'gpu-buffer';
    return this.#data === undefined ? 'none' : 'cpu';
  }

  get data(): Tensor.DataType {
    return this.#held === undefined ? this.#here() : this.#take(this.#held.data);
  }

  async getData(): Promise<Tensor.DataType> {
    if (this.#held === undefined) return this.#here();
    const data = await this.#held.getData();
    // Another call may have been first.
    return this.#held === undefined ? this.#here() : this.#take(data);
  }

  dispose(): void {
    this.#held?.dispose();
    this.#held = this.#data = undefined;
  }

  reshape(dims: readonly number[]): Tensor {
    return new Tensor(this.type as 'float32', this.data as Float32Array, dims);
  }

  #here(): Tensor.DataType {
    if (this.#data === undefined) throw new Error('The tensor is disposed.');
    return this.#data;
  }

  /** The caller may write to the data: from now on they are what counts. */
  #take(data: EngineTensor['data']): Tensor.DataType {
    this.#held?.dispose();
    this.#held = undefined;
    // In the array that onnxruntime-common has for the type.
    this.#data = new Tensor(this.type as 'float32', data as Float32Array, [data.length]).data;
    return this.#data;
  }
}
