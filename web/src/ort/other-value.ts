import { elementCount } from '../values/tensor.js';
import { TensorBase } from './tensor-base.js';

/**
 * A value that onnxruntime-common's Tensor has no form for: a tensor of another element type, a sequence, a map, an
 * optional that is not there. It is an instance of that class, so that it passes wherever values pass. `type` is written
 * as in "sequence(map(string,float32))"; `data` is a typed array, an array, a Map or undefined.
 */
export class OtherValue extends TensorBase {
  readonly type: string;
  dims: readonly number[];
  readonly size: number;
  readonly #data: unknown;

  constructor(type: string, data: unknown, dims: readonly number[]) {
    super('uint8', new Uint8Array(0), [0]);
    this.type = type;
    this.dims = dims;
    this.size = elementCount(dims);
    this.#data = data;
  }

  get isTensor(): boolean {
    return ArrayBuffer.isView(this.#data);
  }

  get data(): unknown {
    // Says so where the value was disposed.
    void Reflect.get(TensorBase.prototype, 'data', this);
    return this.#data;
  }

  async getData(): Promise<unknown> {
    return this.data;
  }

  reshape(dims: readonly number[]): OtherValue {
    const reshaped = new OtherValue(this.type, this.data, dims);
    if (reshaped.size === this.size) return reshaped;
    throw new Error(`A ${this.type} with ${this.size} elements cannot have the dims [${dims}].`);
  }
}
