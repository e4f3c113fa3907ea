// Values on their way into the engine's memory and out of it.

import { NeuromancerError } from '../api/errors.js';
import { dataLength, dtypeOfNumber, elementTypes } from '../values/dtypes.js';
import { describe, elementCount, Tensor, type TensorSource } from '../values/tensor.js';
import {
  isKept,
  scalarsToTensor,
  tensorToScalars,
  type Value,
  type ValueMap,
  type ValueType,
} from '../values/values.js';
import type { KeptPart } from './backend.js';
import { kinds } from './c-abi.js';
import type { Engine } from './engine.js';
import type { Home } from './held.js';
import { encodeText } from './text.js';

/** Makes the engine's form of a value; the caller hands it over or frees it. `home` is that engine. */
export function newValue(engine: Engine, value: Value, type: ValueType, home: Home): number {
  const { exports } = engine;
  if (type.kind === 'optional') return newValue(engine, value, type.element, home);
  if (isKept(value)) return shareValue(engine, value.reference.handleIn(home));
  if (value instanceof Tensor) return newTensor(engine, value);
  if (type.kind === 'map') {
    const map = value as ValueMap;
    const element = type.element as { type: Tensor['type'] };
    return newAll(
      engine,
      [scalarsToTensor(map.keys(), type.key), scalarsToTensor(map.values(), element.type)],
      (tensor) => newTensor(engine, tensor),
      ([keys, values]) => exports.nm_new_map(keys as number, values as number),
    );
  }
  const { element } = type as { element: ValueType };
  return newAll(
    engine,
    value as readonly Value[],
    (item) => newValue(engine, item, element, home),
    (items) => engine.with([engine.addressList(items)], (at) => exports.nm_new_sequence(at as number, items.length)),
  );
}

/** Makes the parts, then what is made of them, which takes them over; parts that nobody takes are freed. */
function newAll<T>(engine: Engine, from: readonly T[], make: (part: T) => number, join: (parts: number[]) => number) {
  return engine.checkPointer(join(allOrNone(engine, from, make)));
}

/** Values that are made one after the other; when one cannot be, those before it are freed. */
export function allOrNone<T>(engine: Engine, from: readonly T[], make: (part: T, i: number) => number): number[] {
  const values: number[] = [];
  try {
    for (const part of from) values.push(make(part, values.length));
    return values;
  } catch (error) {
    for (const value of values) engine.exports.nm_free_value(value);
    throw error;
  }
}

function newTensor(engine: Engine, tensor: Tensor): number {
  const { exports } = engine;
  const dims = bytesOf(BigInt64Array.from(tensor.shape, BigInt));
  const rank = tensor.shape.length;
  if (tensor.type === 'string') {
    const { text, ends } = encodeStrings(tensor.data as readonly string[]);
    return engine.with([dims, text, bytesOf(ends)], (dimsAt, textAt, endsAt) =>
      engine.checkPointer(exports.nm_new_strings(dimsAt as number, rank, textAt as number, endsAt as number)),
    );
  }
  const value = engine.with([dims], (dimsAt) =>
    engine.checkPointer(exports.nm_new_tensor(elementTypes[tensor.type].number, dimsAt as number, rank)),
  );
  try {
    engine.with([newRecord(engine)], (record) => {
      engine.checkCount(exports.nm_value_tensor(value, 0, record as number));
      writeElements(engine, engine.addressAt((record as number) + engine.tensorLayout.data), tensor);
    });
  } catch (error) {
    exports.nm_free_value(value);
    throw error;
  }
  return value;
}

/**
 * Writes a tensor's elements where the engine has made room for its type and shape. The length is checked here, beside
 * the copy: the arrays under a tensor belong to the caller, who may have shrunk, grown or given them away.
 */
export function writeElements(engine: Engine, address: number, { type, data, shape }: Tensor): void {
  const bytes = bytesOf(data as ArrayBufferView);
  const expected = dataLength(type, elementCount(shape)) * (elementTypes[type].array?.BYTES_PER_ELEMENT ?? 0);
  if (bytes.byteLength !== expected) {
    throw new NeuromancerError(
      'invalid_data',
      `The data of a ${describe(type, shape)} tensor have ${bytes.byteLength} bytes where ${expected} belong: the array ` +
        'changed its length after the tensor was made.',
      { expected: `${expected} bytes`, actual: `${bytes.byteLength} bytes` },
    );
  }
  engine.bytes(address, bytes.byteLength).set(bytes);
}

/**
 * Reads what is at each of the addresses. "view": numbers stay in the engine's memory; "copy": they are the caller's.
 * Nothing is allocated between the first and the last, which might detach views.
 */
export function readValues(engine: Engine, values: readonly number[], mode: 'copy' | 'view'): Value[] {
  return engine.with([newRecord(engine)], (record) =>
    values.map((value) => read(engine, value, record as number, mode)),
  );
}

/** A value that the caller owns, for JavaScript: a tensor stays where it is, of any other value there is only a copy. */
export function keepValue(engine: Engine, value: number, home: Home): Value {
  if (engine.exports.nm_value_kind(value) === kinds.tensor) {
    try {
      const { type, shape } = withShape(engine, value, (record) => tensorFacts(engine, record));
      return new Tensor(type, home.hold(value, describe(type, shape)), shape);
    } catch (error) {
      engine.exports.nm_free_value(value);
      throw error;
    }
  }
  try {
    return readValues(engine, [value], 'copy')[0];
  } finally {
    engine.exports.nm_free_value(value);
  }
}

/** What `read` finds in the record of a tensor in the engine, whose elements are not looked at. */
function withShape<T>(engine: Engine, value: number, read: (record: number) => T): T {
  return engine.with([newRecord(engine)], (record) => {
    engine.checkCount(engine.exports.nm_value_shape(value, 0, record as number));
    return read(record as number);
  });
}

/** A tensor's size along an axis; 0 where it has no such axis. */
export function sizeAlong(engine: Engine, value: number, axis: number): number {
  const { rank, dims } = engine.tensorLayout;
  return withShape(engine, value, (record) => {
    const view = engine.view();
    if (axis < 0 || axis >= view.getUint32(record + rank, true)) return 0;
    return Number(view.getBigInt64(engine.addressAt(record + dims) + 8 * axis, true));
  });
}

/** Another hold on a value, to be given away or freed by itself. */
export function shareValue(engine: Engine, value: number): number {
  return engine.checkPointer(engine.exports.nm_share_value(value));
}

/** The first positions of a tensor along an axis, in place of the tensor, which goes. */
export function shortenValue(engine: Engine, value: number, { axis, length }: KeptPart): number {
  try {
    return engine.checkPointer(engine.exports.nm_shorten_value(value, axis, length));
  } finally {
    engine.exports.nm_free_value(value);
  }
}

function read(engine: Engine, value: number, record: number, mode: 'copy' | 'view'): Value {
  const { exports } = engine;
  switch (exports.nm_value_kind(value) as (typeof kinds)[keyof typeof kinds]) {
    case kinds.nothing:
      return undefined;
    case kinds.tensor:
      return readTensor(engine, value, 0, record, mode);
    case kinds.map: {
      const [keys, values] = [0, 1].map((part) => tensorToScalars(readTensor(engine, value, part, record, 'copy')));
      return new Map((keys as ReturnType<typeof tensorToScalars>).map((key, i) => [key, values?.[i] ?? 0]));
    }
    case kinds.sequence: {
      const count = engine.checkCount(exports.nm_value_count(value));
      return Array.from({ length: count }, (_, i) =>
        read(engine, engine.checkPointer(exports.nm_value_item(value, i)), record, mode),
      );
    }
  }
}

/** An nm_tensor that the engine has not written yet. */
function newRecord({ tensorLayout }: Engine): Uint8Array {
  return new Uint8Array(tensorLayout.size);
}

/** What the engine has written into a record. */
function tensorFacts(engine: Engine, record: number) {
  const { tensorLayout } = engine;
  const view = engine.view();
  const number = view.getInt32(record + tensorLayout.dtype, true);
  const rank = view.getUint32(record + tensorLayout.rank, true);
  const dims = engine.addressAt(record + tensorLayout.dims);
  const data = engine.addressAt(record + tensorLayout.data);
  const type = dtypeOfNumber(number);
  if (type === undefined) throw new NeuromancerError('internal', `A value has the unknown element type ${number}.`);
  const shape = Array.from({ length: rank }, (_, i) => Number(view.getBigInt64(dims + 8 * i, true)));
  return { type, shape, data };
}

/** `part` is 0, or 1 for the values of a map. */
function readTensor(engine: Engine, value: number, part: number, record: number, mode: 'copy' | 'view'): Tensor {
  const { exports } = engine;
  engine.checkCount(exports.nm_value_tensor(value, part, record));
  const { type, shape, data } = tensorFacts(engine, record);
  const { array: TypedArrayOf } = elementTypes[type];
  if (TypedArrayOf === null) {
    const strings = Array.from({ length: elementCount(shape) }, (_, i) => {
      const length = engine.checkCount(exports.nm_value_string(value, part, i, record));
      return engine.textOf(engine.addressAt(record), length);
    });
    return new Tensor(type, strings, shape);
  }
  const lent = new TypedArrayOf(exports.memory.buffer, data, dataLength(type, elementCount(shape)));
  return new Tensor(type, (mode === 'view' ? lent : lent.slice()) as TensorSource, shape);
}

/** Strings one after the other as UTF-8, and where each ends. */
function encodeStrings(strings: readonly string[]): { text: Uint8Array; ends: Uint32Array } {
  const pieces = strings.map((string) => encodeText(string));
  const text = new Uint8Array(pieces.reduce((length, piece) => length + piece.byteLength, 0));
  const ends = new Uint32Array(strings.length);
  let end = 0;
  pieces.forEach((piece, i) => {
    text.set(piece, end);
    end += piece.byteLength;
    ends[i] = end;
  });
  return { text, ends };
}

export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
