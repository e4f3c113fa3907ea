// A core module whose instances begin with their work prepared.
import './typescript.mjs';

const { snapshot } = await import('../web/src/bundle/snapshot.ts');

/**
 * The module with its memory as its exported function `prepare` leaves it. Nothing of the host's may be called meanwhile.
 */
export async function prepared(core) {
  const module = await WebAssembly.compile(core);
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = () => {
      throw new Error(`prepare called ${from} ${name}`);
    };
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  exports._initialize();
  const failed = exports.prepare();
  if (failed !== 0) {
    const memory = new Uint8Array(exports.memory.buffer, failed);
    throw new Error(`prepare failed: ${new TextDecoder().decode(memory.subarray(0, memory.indexOf(0)))}`);
  }
  return snapshot(core, new Uint8Array(exports.memory.buffer), { named: 'prepared', value: 1 });
}
