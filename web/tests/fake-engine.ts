// A stand-in for the engine's exports, with a real memory: one model whose output is its input, so that the way of
// names, shapes, numbers and strings across the boundary can be tested without the artefact.
import type { EngineExports } from '../src/engine/engine.js';

interface Value {
  dtype: number;
  dims: bigint[];
  address: number;
  byteLength: number;
  strings: string[];
}

export interface FakeModel {
  inputs: object[];
  outputs: object[];
  steps: number;
}

export class FakeEngine {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 200 });
  readonly live = new Set<number>();
  /** What came in, with the size that was announced: the model (''), and external data by path. */
  readonly files = new Map<string, { size: number; pieces: Uint8Array[] }>();
  /** Makes the next run fail with this error text, or trap when it is "trap". */
  failure: string | undefined;
  /** What a trap came of: an allocation that failed. */
  exhausted = false;
  /** The elements of every input that was declared. */
  readonly inputSizes: number[] = [];
  readonly limits = new Map<string, number>();
  /** The outputs that have memory of their own, in the order of the calls. */
  readonly kept: number[] = [];
  /** Values that were taken or shared, and not yet given away or freed. */
  readonly owned = new Set<number>();
  /** The output that cannot be taken. */
  refused = -1;
  threads = 1;
  loads = 0;

  #top = 1024;
  #error = '{}';
  #left = 0;
  readonly #inputs: (Value | undefined)[] = [];
  /** What nm_value pointers stand for: the place in this list, from 1. */
  readonly #values: (Value | undefined)[] = [];
  readonly #model: FakeModel;

  constructor(model: FakeModel) {
    this.#model = model;
  }

  bytesOf(path: string): Buffer {
    return Buffer.concat(this.files.get(path)?.pieces ?? []);
  }

  get exports(): EngineExports {
    const text = (value: string) => this.#place(new TextEncoder().encode(`${value}\0`));
    return {
      memory: this.memory,
      nm_build_info: () =>
        text(JSON.stringify({ version: '0', artefact: 'wasm', isa: 'wasm', threads: false, operators: 1 })),
      nm_alloc: (bytes) => {
        const address = this.#allocate(bytes);
        this.live.add(address);
        return address;
      },
      nm_free: (pointer) => void this.live.delete(pointer),
      nm_last_error: () => text(this.#error),
      nm_new_model: (size) => {
        this.files.set('', { size, pieces: [] });
        return 1;
      },
      nm_model_bytes: (_, bytes, count) => {
        const file = [...this.files.values()].at(-1) as { pieces: Uint8Array[] };
        file.pieces.push(this.#bytes(bytes, count).slice());
        return 0;
      },
      nm_external_file: (_, path, size) => {
        this.files.set(this.#cString(path), { size, pieces: [] });
        return 0;
      },
      nm_limit: (_, name, value) => {
        this.limits.set(this.#cString(name), value);
        return 0;
      },
      nm_cancel_flag: () => 512,
      nm_exhausted: () => Number(this.exhausted),
      nm_pack: () => 0,
      nm_dimension: () => 0,
      nm_load: () => {
        this.loads++;
        if (this.bytesOf('').length === 3) {
          this.#error = JSON.stringify({ code: 'invalid_model', message: 'Three bytes are no model.' });
          return 0;
        }
        return 1;
      },
      nm_describe: () => {
        const { inputs, outputs } = this.#model;
        return text(JSON.stringify({ name: 'größe 🧠', inputs, outputs, operators: { Identity: 1 } }));
      },
      nm_input: (_, index, dtype, dims, rank) => {
        const tensor = this.#tensor(dims, rank);
        const count = Number(tensor.dims.reduce((a, b) => a * b, 1n));
        this.inputSizes.push(count);
        const byteLength = count * (dtype === 7 ? 8 : dtype === 10 ? 2 : 4);
        const address = this.#allocate(byteLength);
        this.#inputs[index] = { ...tensor, dtype, address, byteLength };
        return address;
      },
      nm_input_value: (_, index, value) => {
        this.owned.delete(value);
        if (value === 0) delete this.#inputs[index];
        else this.#inputs[index] = this.#values[value - 1] as Value;
        return 0;
      },
      nm_new_tensor: (dtype, dims, rank) => this.#value({ ...this.#tensor(dims, rank), dtype }),
      nm_new_strings: (dims, rank, textAt, endsAt) => {
        const tensor = this.#tensor(dims, rank);
        const count = Number(tensor.dims.reduce((a, b) => a * b, 1n));
        const ends = Array.from({ length: count }, (_, i) => this.#view().getUint32(endsAt + 4 * i, true));
        const strings = ends.map((end, i) => {
          const begin = i === 0 ? 0 : (ends[i - 1] as number);
          return new TextDecoder().decode(this.#bytes(textAt + begin, end - begin).slice());
        });
        return this.#value({ ...tensor, dtype: 8, strings });
      },
      // This model has neither sequences nor maps: see artefact.test.ts and values.test.ts for these.
      nm_new_sequence: () => 0,
      nm_new_map: () => 0,
      nm_free_value: (value) => void this.owned.delete(value),
      nm_free_model: () => undefined,
      // Called where sessions share an instance: see shared.test.ts.
      nm_release: () => undefined,
      nm_trim: () => undefined,
      // The package never calls it.
      nm_cancel: () => undefined,
      nm_run: () => this.#run(),
      nm_run_begin: () => {
        this.#left = this.#model.steps;
        return this.#run();
      },
      nm_run_steps: (_, count) => {
        this.#left = Math.max(0, this.#left - count);
        return this.#left;
      },
      nm_steps: () =>
        text(
          JSON.stringify(
            Array.from({ length: this.#model.steps }, (_, i) => ({ node: `n${i}`, operator: 'Identity' })),
          ),
        ),
      nm_output: (_, index) => this.#value(this.#inputs[index]),
      nm_keep_output: (_, index) => {
        this.kept.push(index);
        return 0;
      },
      nm_take_output: (_, index) => {
        if (index !== this.refused) return this.#own(this.#inputs[index]);
        this.#error = JSON.stringify({ code: 'out_of_memory', message: 'There is no room.' });
        return 0;
      },
      nm_step_value: () => 0,
      nm_custom_operator: () => 0,
      nm_waiting: () => 0,
      nm_waiting_attribute: () => 0,
      nm_waiting_input: () => 0,
      nm_give_output: () => 0,
      nm_want_output: () => 0,
      nm_share_value: (value) => this.#own(this.#values[value - 1]),
      nm_shorten_value: (value) => this.#own(this.#values[value - 1]),
      nm_value_kind: (value) => (this.#values[value - 1] === undefined ? 0 : 1),
      nm_value_count: () => -1,
      nm_value_item: () => 0,
      nm_value_tensor: (at, _, out) => this.#describe(at, out),
      nm_value_shape: (at, _, out) => this.#describe(at, out),
      nm_value_string: (at, _, element, out) => {
        const bytes = new TextEncoder().encode(this.#values[at - 1]?.strings[element]);
        const address = this.#place(bytes);
        this.#view().setUint32(out, address, true);
        return bytes.byteLength;
      },
      nm_memory: () => text(JSON.stringify({ heap: 1, weights: 2, arena: 3, arenaBound: 3, scratch: 0, peak: 4 })),
      nm_set_threads: (count) => {
        this.threads = count;
        return 0;
      },
    };
  }

  #run(): number {
    if (this.failure === 'trap') throw new WebAssembly.RuntimeError('unreachable');
    if (this.failure === undefined) return 0;
    this.#error = this.failure;
    this.failure = undefined;
    return -1;
  }

  /** Every allocation grows the memory, so that a view kept across a call would be a detached one. */
  #allocate(bytes: number): number {
    const address = this.#top;
    this.#top = (this.#top + bytes + 63) & ~63;
    const missing = this.#top - this.memory.buffer.byteLength;
    this.memory.grow(missing > 0 ? Math.ceil(missing / 65536) : 0);
    return address;
  }

  #place(bytes: Uint8Array): number {
    const address = this.#allocate(bytes.byteLength);
    this.#bytes(address, bytes.byteLength).set(bytes);
    return address;
  }

  #bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  #view(): DataView {
    return new DataView(this.memory.buffer);
  }

  #value(value: Value | undefined): number {
    return this.#values.push(value);
  }

  #describe(at: number, out: number): number {
    const value = this.#values[at - 1] as Value;
    const dims = this.#allocate(8 * value.dims.length);
    const view = this.#view();
    value.dims.forEach((dim, i) => {
      view.setBigInt64(dims + 8 * i, dim, true);
    });
    [value.dtype, value.dims.length, dims, value.address, value.byteLength].forEach((word, i) => {
      view.setUint32(out + 4 * i, word, true);
    });
    return 0;
  }

  #own(value: Value | undefined): number {
    const own = this.#value(value);
    this.owned.add(own);
    return own;
  }

  #tensor(dims: number, rank: number): Value {
    return { dtype: 0, dims: this.#dims(dims, rank), address: 0, byteLength: 0, strings: [] };
  }

  #dims(address: number, rank: number): bigint[] {
    return Array.from({ length: rank }, (_, i) => this.#view().getBigInt64(address + 8 * i, true));
  }

  #cString(address: number): string {
    const all = new Uint8Array(this.memory.buffer);
    return new TextDecoder().decode(all.slice(address, all.indexOf(0, address)));
  }
}
