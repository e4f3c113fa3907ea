// Written by scripts/c-abi.mjs from engine/c_api.h, where everything is explained; do not edit.

/** What a failure of the engine's is called. */
export type EngineErrorCode =
  | 'invalid_model'
  | 'unsupported_operator'
  | 'invalid_argument'
  | 'missing_input'
  | 'type_mismatch'
  | 'shape_mismatch'
  | 'out_of_memory'
  | 'cancelled'
  | 'invalid_data'
  | 'internal'
  | 'limit_exceeded';

/** ONNX's numbers of the element types. */
export const dtypeNumbers = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
} as const;

/** What nm_value_kind says. */
export const kinds = {
  nothing: 0,
  tensor: 1,
  sequence: 2,
  map: 3,
} as const;

/** The flags of nm_load. */
export const loadFlags = {
  unoptimized: 1,
} as const;

/** What nm_pack takes besides. */
export const packFlags = {
  stripped: 2,
  float16: 4,
  int8: 8,
  int4: 16,
} as const;

/** The size of an nm_tensor, and where its members lie. */
export const tensorLayout = {
  size: 20,
  dtype: 0,
  rank: 4,
  dims: 8,
  data: 12,
  byte_length: 16,
};

/** The same with addresses of 64 bits. */
export const tensorLayout64: typeof tensorLayout = {
  size: 32,
  dtype: 0,
  rank: 4,
  dims: 8,
  data: 16,
  byte_length: 24,
};

/** Pointers and sizes are numbers. */
export interface EngineFunctions {
  nm_build_info(): number;
  nm_alloc(bytes: number): number;
  nm_free(pointer: number): void;
  nm_last_error(): number;
  nm_new_model(size: number): number;
  nm_model_bytes(model: number, bytes: number, count: number): number;
  nm_external_file(model: number, path: number, size: number): number;
  nm_free_model(model: number): void;
  nm_limit(model: number, name: number, value: number): number;
  nm_dimension(model: number, name: number, number: number): number;
  nm_custom_operator(model: number, domain: number, name: number, types: number, like: number, count: number): number;
  nm_load(model: number, flags: number): number;
  nm_release(session: number): void;
  nm_pack(model: number, flags: number): number;
  nm_describe(session: number): number;
  nm_input(session: number, index: number, dtype: number, dims: number, rank: number): number;
  nm_input_value(session: number, index: number, value: number): number;
  nm_new_tensor(dtype: number, dims: number, rank: number): number;
  nm_new_strings(dims: number, rank: number, text: number, ends: number): number;
  nm_new_sequence(items: number, count: number): number;
  nm_new_map(keys: number, values: number): number;
  nm_free_value(value: number): void;
  nm_run(session: number): number;
  nm_run_begin(session: number): number;
  nm_run_steps(session: number, count: number): number;
  nm_waiting(session: number): number;
  nm_waiting_attribute(session: number, index: number): number;
  nm_waiting_input(session: number, index: number): number;
  nm_give_output(session: number, index: number, value: number): number;
  nm_steps(session: number): number;
  nm_step_value(session: number, step: number, output: number): number;
  nm_output(session: number, index: number): number;
  nm_take_output(session: number, index: number): number;
  nm_keep_output(session: number, index: number, dtype: number): number;
  nm_want_output(session: number, index: number, wanted: number): number;
  nm_share_value(value: number): number;
  nm_shorten_value(value: number, axis: number, length: number): number;
  nm_value_kind(value: number): number;
  nm_value_count(value: number): number;
  nm_value_item(value: number, item: number): number;
  nm_value_tensor(value: number, part: number, out: number): number;
  nm_value_shape(value: number, part: number, out: number): number;
  nm_value_string(value: number, part: number, element: number, text: number): number;
  nm_cancel(session: number): void;
  nm_cancel_flag(session: number): number;
  nm_exhausted(): number;
  nm_memory(session: number): number;
  nm_trim(session: number): void;
  nm_set_threads(count: number): number;
}

/** What a threaded artefact has beyond them. */
export interface ThreadFunctions {
  nm_worker_run(index: number, stack: number, bytes: number): number;
}

/**
 * The places of the parameters that are addresses or sizes, which have 64 bits in the artefact wasm64, of functions where
 * that is not the first alone.
 */
export const addressParameters: Readonly<Record<string, readonly number[]>> = {
  nm_model_bytes: [0, 1, 2],
  nm_external_file: [0, 1, 2],
  nm_limit: [0, 1],
  nm_dimension: [0, 1],
  nm_custom_operator: [0, 1, 2, 3, 4],
  nm_input: [0, 3],
  nm_input_value: [0, 2],
  nm_new_tensor: [1],
  nm_new_strings: [0, 2, 3],
  nm_new_map: [0, 1],
  nm_give_output: [0, 2],
  nm_value_tensor: [0, 2],
  nm_value_shape: [0, 2],
  nm_value_string: [0, 3],
  nm_set_threads: [],
  nm_worker_run: [1, 2],
};
