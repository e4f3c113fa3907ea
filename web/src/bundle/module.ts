// The parts of a WebAssembly module's binary form that a bundle changes; all else is copied as it stands
// (https://webassembly.github.io/spec/core/binary/modules.html).
import { NeuromancerError } from '../api/errors.js';

export interface Section {
  readonly id: number;
  readonly body: Uint8Array;
}

/** Sections by their numbers. */
export const sectionIds = { memory: 5, global: 6, export: 7, data: 11, dataCount: 12 } as const;

const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

export function sectionsOf(module: Uint8Array): Section[] {
  if (!header.every((byte, i) => module[i] === byte)) throw broken('it does not begin as one');
  const sections: Section[] = [];
  const reader = new Reader(module, header.length);
  while (!reader.ended) {
    const id = reader.byte();
    sections.push({ id, body: reader.bytes(reader.number()) });
  }
  return sections;
}

export function moduleOf(sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  return joined([header, ...sections.map(({ id, body }) => joined([[id], number(body.length), body]))]);
}

/** Replaces a section's body; `change` gets the old one. */
export function withSection(
  sections: readonly Section[],
  id: number,
  change: (body: Uint8Array) => Uint8Array,
): Section[] {
  if (!sections.some((section) => section.id === id)) throw broken(`it has no section ${id}`);
  return sections.map((section) => (section.id === id ? { id, body: change(section.body) } : section));
}

/** A body that is a list, with another item at its end. */
export function withItem(body: Uint8Array, item: readonly number[]): Uint8Array {
  const reader = new Reader(body);
  const count = reader.number();
  return joined([number(count + 1), reader.rest(), item]);
}

/** Reads from the beginning to the end; a number that is cut off is a module that is broken. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw broken('it is cut off');
    return byte;
  }

  bytes(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw broken('it is cut off');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** An unsigned number of 32 bits at most, in LEB128. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw broken('a number in it is too long');
  }

  text(): string {
    return new TextDecoder().decode(this.bytes(this.number()));
  }
}

/** An unsigned number in LEB128. */
export function number(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) + 128);
  }
}

/** `i32.const value; end`, for an address: LEB128 here is of signed numbers. */
export function constant(address: number): number[] {
  const bytes: number[] = [0x41];
  for (let left = address | 0; ; left >>= 7) {
    const more = left > 63 || left < -64;
    bytes.push((left & 127) + (more ? 128 : 0));
    if (!more) return [...bytes, 0x0b];
  }
}

export function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...number(bytes.length), ...bytes];
}

export function joined(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

function broken(why: string): NeuromancerError {
  return new NeuromancerError('engine_unavailable', `The engine's file is no WebAssembly module: ${why}.`);
}
