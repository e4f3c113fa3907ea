import { Tensor } from 'onnxruntime-common';

/** onnxruntime-common's Tensor to make classes of: it is declared with many constructors, of which a class extends none. */
export const TensorBase = Tensor as unknown as new (type: 'uint8', data: Uint8Array, dims: readonly number[]) => object;
