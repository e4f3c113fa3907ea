import { type ErrorRecord, NeuromancerError, sentence } from '../api/errors.js';
import { type EngineFunctions, tensorLayout } from './c-abi.js';
import { decodeText, encodeText } from './text.js';

/** What an artefact exports: the C ABI and the memory that its pointers are of. */
export interface EngineExports extends EngineFunctions {
  memory: WebAssembly.Memory;
  _initialize?(): void;
}

/** From a function of 32 bits an address beyond 2 GiB comes as a negative number. */
export function unsigned(address: number): number {
  return address < 0 ? address + 2 ** 32 : address;
}

/**
 * One instance of the engine: its exports and its memory. Any call may grow the memory, which detaches every view,
 * so views are made when they are needed and never kept.
 */
export class Engine {
  readonly exports: EngineExports;
  /** How large a number of the type size_t may be; see also Engine64. */
  readonly mostBytes: number = 2 ** 32 - 1;
  readonly tensorLayout = tensorLayout;

  constructor(exports: EngineExports) {
    this.exports = exports;
    exports._initialize?.();
  }

  /** `address` as the engine returned it. */
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer, unsigned(address), length);
  }

  /** The address that lies in the memory at `at`. */
  addressAt(at: number): number {
    return this.view().getUint32(at, true);
  }

  /** A list of addresses as the engine reads one. */
  addressList(addresses: readonly number[]): Uint8Array {
    return new Uint8Array(Uint32Array.from(addresses).buffer);
  }

  view(): DataView {
    return new DataView(this.exports.memory.buffer);
  }

  /** The text from `address` up to the zero that ends it. */
  text(address: number): string {
    const all = new Uint8Array(this.exports.memory.buffer);
    const begin = unsigned(address);
    return this.textOf(begin, all.indexOf(0, begin) - begin);
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
    return unsigned(address);
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

/** A failure that leaves the engine in no state to go on. */
export function isTrap(error: unknown): boolean {
  return (
    error instanceof WebAssembly.RuntimeError || (error instanceof Error && /call stack|recursion/i.test(error.message))
  );
}

/** An engine with the threads that work for it. */
export interface Instance {
  readonly engine: Engine;
  /** The threads that take part by now, the caller's included. */
  readonly threads: number;
  /** Resolves when it is known which threads take part. */
  readonly started: Promise<void>;
  /** Whether some of the threads have not begun yet. */
  threadsStarting(): boolean;
  /** The session that had it needs it no more. */
  leave(): void;
  /** Present where other sessions are in the instance, too. */
  readonly shared?: SharedInstance;
}

/** What its sessions know of an instance that they share. */
export interface SharedInstance {
  /** The trap of any session after which none can go on. */
  trap: unknown;
}
