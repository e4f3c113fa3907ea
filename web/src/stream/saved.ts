// A stream's state as bytes: "NMS1", the length of a JSON text, that text, then the elements of each tensor in the
// order of the text. Numbers are little-endian; every part begins at a multiple of 8.

import { NeuromancerError } from '../api/errors.js';
import { decodeText, encodeText } from '../engine/text.js';
import { type DType, dataLength, elementTypes, isDType, type TypedArray } from '../values/dtypes.js';
import { elementCount, type TensorLike } from '../values/tensor.js';

export interface SavedState {
  /** What tells the model from others. */
  readonly model: string;
  readonly runs: number;
  readonly states: readonly (readonly [input: string, state: TensorLike])[];
}

interface Header {
  model: string;
  runs: number;
  states: { name: string; type: DType; shape: number[] }[];
}

const magic = 0x31534d4e;
const even = (length: number) => (length + 7) & ~7;

export function toBytes({ model, runs, states }: SavedState): Uint8Array {
  const header: Header = {
    model,
    runs,
    states: states.map(([name, { type, shape }]) => ({ name, type, shape: [...shape] })),
  };
  const text = encodeText(JSON.stringify(header));
  const parts = states.map(([name, { type, data }]) => {
    if (!ArrayBuffer.isView(data)) {
      throw new NeuromancerError('type_mismatch', `The state "${name}" is made of ${type}s and cannot be saved.`);
    }
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
  const size = parts.reduce((sum, { byteLength }) => sum + even(byteLength), even(8 + text.byteLength));
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, text.byteLength, true);
  bytes.set(text, 8);
  let at = even(8 + text.byteLength);
  for (const part of parts) {
    bytes.set(part, at);
    at += even(part.byteLength);
  }
  return bytes;
}

export function fromBytes(given: Uint8Array): SavedState {
  // Their own buffer, so that every part begins where its type may.
  const bytes = given.slice();
  const view = new DataView(bytes.buffer);
  if (bytes.byteLength < 8 || view.getUint32(0, true) !== magic) throw refused('they do not begin with NMS1');
  const length = view.getUint32(4, true);
  if (8 + length > bytes.byteLength) throw refused('they end early');
  const { model, runs, states } = headerOf(decodeText(bytes.subarray(8, 8 + length)));
  let at = even(8 + length);
  const read = states.map(({ name, type, shape }) => {
    const { array: TypedArrayOf } = elementTypes[type];
    if (TypedArrayOf === null) throw refused(`"${name}" has no bytes`);
    const elements = dataLength(type, elementCount(shape));
    const size = elements * TypedArrayOf.BYTES_PER_ELEMENT;
    if (at + size > bytes.byteLength) throw refused('they end early');
    const data: TypedArray = new TypedArrayOf(bytes.buffer, at, elements);
    at += even(size);
    return [name, { type, data, shape }] as const;
  });
  if (at !== bytes.byteLength) throw refused('they do not end where the state ends');
  return { model, runs, states: read };
}

function headerOf(text: string): Header {
  try {
    const header = JSON.parse(text) as Header;
    const sound =
      typeof header.model === 'string' &&
      Number.isSafeInteger(header.runs) &&
      header.states.every(
        ({ name, type, shape }) =>
          typeof name === 'string' && isDType(type) && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0),
      );
    if (sound) return header;
  } catch {
    // Said below.
  }
  throw refused('their description cannot be read');
}

function refused(why: string): NeuromancerError {
  return new NeuromancerError('invalid_data', `The bytes are no saved state: ${why}; pass what save() gave.`);
}
