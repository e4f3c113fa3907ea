// What the build under test is, and its memory. Where addresses have 64 bits, a module takes and returns them as bigints.
const { NM_BUILD, NM_THREADS, NM_MEMORY64 } = process.env;

export const build = NM_BUILD;
export const threads = NM_THREADS === 'ON';
export const memory64 = NM_MEMORY64 === 'ON';

/** A number as the module takes sizes and addresses. */
export const size = (number) => (memory64 ? BigInt(number) : number);

/** An instance with a memory of at most `maximum` pages, for a threaded module shared and imported. */
export async function start(module, maximum = 65536) {
  const address = memory64 ? { address: 'i64' } : {};
  const shared = threads
    ? new WebAssembly.Memory({ initial: size(64), maximum: size(maximum), shared: true, ...address })
    : undefined;
  const imports = shared ? { env: { [memory64 ? 'memory64' : 'memory']: shared } } : {};
  const { exports } = await WebAssembly.instantiate(module, imports);
  exports._initialize();
  return { exports, memory: shared ?? exports.memory };
}
