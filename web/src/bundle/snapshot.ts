// A module whose memory begins as another instance's memory is now.
import {
  constant,
  joined,
  moduleOf,
  name,
  number,
  Reader,
  sectionIds,
  sectionsOf,
  withItem,
  withSection,
} from './module.js';

/** Shorter runs of zeros cost less as data than as the beginning of another segment. */
const leastGap = 32;

/** Made by the linker's code, which has run already in the memory that is kept. */
const constructors = '_initialize';

/**
 * `module` with `memory` as what is in it from the beginning, and the number `value` as its exported global `named`. The
 * instance must be at rest: its stack is empty, and all that it keeps lies in its memory.
 */
export function snapshot(
  module: Uint8Array,
  memory: Uint8Array,
  { named, value }: { named: string; value: number },
): Uint8Array<ArrayBuffer> {
  const segments = segmentsOf(memory);
  let sections = sectionsOf(module);
  let globals = 0;
  sections = withSection(sections, sectionIds.memory, (body) => withPages(body, memory.length / 65536));
  sections = withSection(sections, sectionIds.global, (body) => {
    globals = new Reader(body).number();
    return withItem(body, [0x7f, 0, ...constant(value)]); // i32, immutable
  });
  sections = withSection(sections, sectionIds.export, (body) =>
    withItem(withoutExport(body, constructors), [...name(named), 3, ...number(globals)]),
  );
  sections = withSection(sections, sectionIds.data, () => joined([number(segments.length), ...segments.flat()]));
  if (sections.some(({ id }) => id === sectionIds.dataCount)) {
    sections = withSection(sections, sectionIds.dataCount, () => joined([number(segments.length)]));
  }
  return moduleOf(sections);
}

/** What is not zero, as active data segments. */
function segmentsOf(memory: Uint8Array): (Uint8Array | number[])[][] {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8);
  const segments: (Uint8Array | number[])[][] = [];
  const gap = leastGap / 8;
  for (let at = 0; at < words.length; ) {
    if (words[at] === 0n) {
      at += 1;
      continue;
    }
    let end = at + 1;
    for (let next = end; next < words.length && next - end < gap; next += 1) {
      if (words[next] !== 0n) end = next + 1;
    }
    const bytes = memory.subarray(at * 8, end * 8);
    segments.push([[0], constant(at * 8), number(bytes.length), bytes]);
    at = end;
  }
  return segments;
}

/** The only memory, of this size at first. */
function withPages(body: Uint8Array, pages: number): Uint8Array {
  const reader = new Reader(body);
  const count = reader.number();
  const flags = reader.byte();
  reader.number();
  return joined([number(count), [flags], number(pages), reader.rest()]);
}

function withoutExport(body: Uint8Array, without: string): Uint8Array {
  const reader = new Reader(body);
  const kept: number[][] = [];
  for (let left = reader.number(); left > 0; left -= 1) {
    const [text, kind, index] = [reader.text(), reader.byte(), reader.number()];
    if (text !== without) kept.push([...name(text), kind, ...number(index)]);
  }
  return joined([number(kept.length), ...kept]);
}
