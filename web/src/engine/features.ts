import { processorCount } from '../host/host.js';

// What this host can do, found by asking it: probe modules of a few bytes and WebAssembly.validate, never user agents.

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const functionOfV128 = [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00];
const splatZero = [0x41, 0x00, 0xfd, 0x0f]; // i32.const 0, i8x16.splat

/** (module (func (result v128) i32.const 0 i8x16.splat)) */
const simdProbe = [...header, ...functionOfV128, 0x0a, 0x08, 0x01, 0x06, 0x00, ...splatZero, 0x0b];

/** The same with three operands and f32x4.relaxed_madd. */
const relaxedProbe = [
  ...header,
  ...functionOfV128,
  ...[0x0a, 0x13, 0x01, 0x11, 0x00, ...splatZero, ...splatZero, ...splatZero, 0xfd, 0x85, 0x02, 0x0b],
];

/** (module (memory i64 1 1 shared)) */
const memory64Probe = [...header, 0x05, 0x04, 0x01, 0x07, 0x01, 0x01];

export interface Features {
  /** Fixed 128-bit SIMD: nothing runs without it. */
  simd: boolean;
  relaxedSimd: boolean;
  /** Memories may have addresses of 64 bits, and so more than 4 GiB. */
  memory64: boolean;
  /** Memory can be shared with workers: in a page this needs cross-origin isolation (COOP and COEP headers). */
  sharedMemory: boolean;
  /** Logical processors, at least 1. */
  processors: number;
}

export function detectFeatures(): Features {
  const validates = (probe: number[]): boolean =>
    typeof WebAssembly === 'object' && WebAssembly.validate(Uint8Array.from(probe));
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return {
    simd: validates(simdProbe),
    relaxedSimd: validates(relaxedProbe),
    memory64: validates(memory64Probe),
    sharedMemory: typeof SharedArrayBuffer === 'function' && crossOriginIsolated !== false,
    processors: processorCount(),
  };
}
