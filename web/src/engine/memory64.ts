// The artefact with addresses of 64 bits, for callers to whom an address is a number.

import { addressParameters, tensorLayout64 } from './c-abi.js';
import { Engine, type EngineExports } from './engine.js';

/** The import's name says it before there is an instance: cmake/wasm.cmake. */
export function isMemory64(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.imports(module).some(({ name }) => name === 'memory64');
}

export class Engine64 extends Engine {
  override readonly mostBytes = Number.POSITIVE_INFINITY;
  override readonly tensorLayout = tensorLayout64;

  constructor(exports: EngineExports) {
    super(withNumbers(exports));
  }

  override addressAt(at: number): number {
    return Number(this.view().getBigUint64(at, true));
  }

  override addressList(addresses: readonly number[]): Uint8Array {
    return new Uint8Array(BigUint64Array.from(addresses, BigInt).buffer);
  }
}

type Exported = (...given: (number | bigint)[]) => number | bigint | undefined;

/** The exports as functions of numbers: no memory has addresses beyond 2^53. */
function withNumbers(exports: EngineExports): EngineExports {
  const wrapped = Object.entries(exports).map(([name, exported]) => [
    name,
    typeof exported === 'function' ? ofNumbers(exported as Exported, addressParameters[name]) : exported,
  ]);
  return Object.fromEntries(wrapped);
}

function ofNumbers(exported: Exported, places: readonly number[] = [0]): Exported {
  return (...given) => {
    for (const place of places) if (place in given) given[place] = BigInt(given[place] as number);
    const returned = exported(...given);
    return typeof returned === 'bigint' ? Number(returned) : returned;
  };
}
