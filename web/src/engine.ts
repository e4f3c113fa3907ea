import { type ErrorRecord, NeuromancerError } from './errors.js';
import { decodeText, encodeText } from './text.js';

/** The engine's exports: the flat C ABI of engine/c_api.h. Pointers and sizes are numbers. */
export interface EngineExports {
  memory: WebAssembly.Memory;
  _initialize?(): void;
  nm_build_info(): number;
  nm_alloc(bytes: number): number;
  nm_free(pointer: number): void;
  nm_last_error(): number;
  nm_new_model(size: number): number;
  nm_model_bytes(model: number, bytes: number, count: number): number;
  nm_external_file(model: number, path: number, size: number): number;
  nm_load(model: number, flags: number): number;
  nm_pack(model: number, flags: number): number;
  nm_dimension(model: number, name: number, number: number): number;
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
  nm_steps(session: number): number;
  nm_output(session: number, index: number): number;
  nm_keep_output(session: number, index: number): number;
  nm_take_output(session: number, index: number): number;
  nm_share_value(value: number): number;
  nm_value_kind(value: number): number;
  nm_value_count(value: number): number;
  nm_value_item(value: number, item: number): number;
  nm_value_tensor(value: number, part: number, out: number): number;
  nm_value_string(value: number, part: number, element: number, text: number): number;
  nm_memory(session: number): number;
  nm_set_threads(count: number): number;
  nm_limit(model: number, name: number, value: number): number;
  nm_cancel_flag(session: number): number;
  nm_exhausted(): number;
}

/**
 * One instance of the engine: its exports and its memory. Any call may grow the memory, which detaches every view,
 * so views are made when they are needed and never kept.
 */
export class Engine {
  readonly exports: EngineExports;

  constructor(exports: EngineExports) {
    this.exports = exports;
    exports._initialize?.();
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer, address, length);
  }

  view(): DataView {
    return new DataView(this.exports.memory.buffer);
  }

  /** The text from `address` up to the zero that ends it. */
  text(address: number): string {
    const all = new Uint8Array(this.exports.memory.buffer);
    return this.textOf(address, all.indexOf(0, address) - address);
  }

  textOf(address: number, length: number): string {
    return decodeText(this.bytes(address, length));
  }

  json<T>(address: number): T {
    return JSON.parse(this.text(address)) as T;
  }

  /** An address in the engine's heap for `size` bytes. `what` says in the error what they were for. */
  allocate(size: number, what: string): number {
    const address = this.exports.nm_alloc(size);
    if (address === 0) {
      throw new NeuromancerError(
        'out_of_memory',
        `There is no room for ${what} (${size} bytes) in the engine's memory of ${this.exports.memory.buffer.byteLength} bytes; ` +
          'release sessions, or use a smaller model or batch.',
      );
    }
    return address;
  }

  /** Copies bytes into the heap; the caller frees or hands over the address. */
  place(bytes: Uint8Array, what: string): number {
    const address = this.allocate(bytes.byteLength, what);
    this.bytes(address, bytes.byteLength).set(bytes);
    return address;
  }

  /** UTF-8 with the zero that ends it. */
  encode(text: string): Uint8Array {
    return encodeText(`${text}\0`);
  }

  /** Runs `use` with temporary copies of some bytes. */
  with<T>(pieces: Uint8Array[], use: (...addresses: number[]) => T): T {
    const addresses: number[] = [];
    try {
      for (const bytes of pieces) addresses.push(this.place(bytes, 'a temporary'));
      return use(...addresses);
    } finally {
      for (const address of addresses) this.exports.nm_free(address);
    }
  }

  /** The engine's account of the call that has just failed. */
  lastError(): NeuromancerError {
    const record = this.json<Partial<ErrorRecord>>(this.exports.nm_last_error());
    const { code = 'internal', message = 'the engine failed without saying why', ...place } = record;
    return new NeuromancerError(code, sentence(message), place);
  }

  /** Returns a pointer or count unless it signals a failure: a null pointer or a negative number. */
  checkPointer(pointer: number): number {
    if (pointer === 0) throw this.lastError();
    return pointer;
  }

  checkCount(count: number): number {
    if (count < 0) throw this.lastError();
    return count;
  }
}

/** The engine writes its messages to be embedded in others; here they stand alone. */
function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`;
}
