import { isNode, nodeModule } from '../host/host.js';

interface Hooks {
  registerHooks?(hooks: {
    resolve(specifier: string, context: unknown, next: Next): unknown;
    load(url: string, context: unknown, next: Next): unknown;
  }): unknown;
}
type Next = (name: string, context: unknown) => unknown;

/** Where transformers.js looks for a runtime of the host's own before it chooses one by itself. */
const placeOfRuntime = Symbol.for('onnxruntime');

/** The packages whose place this one takes, and their entries. */
const replaced = /^onnxruntime-(node|web)(\/|$)/;

const address = 'neuromancer:ort';

/**
 * In Node whoever asks for one of onnxruntime's packages from now on gets this one, so that transformers.js knows the
 * devices it always knows. Elsewhere modules cannot be replaced from within: there the runtime is put in the place of the
 * host's own, with which transformers.js knows no device but "auto".
 */
export function offer(ort: object): void {
  const { registerHooks } = isNode ? nodeModule<Hooks>('node:module') : {};
  if (registerHooks === undefined) {
    Object.assign(globalThis, { [placeOfRuntime]: ort });
    return;
  }
  // A module made of what is loaded already: a bundler may have moved its file.
  const key = 'neuromancer.ort';
  Object.assign(globalThis, { [Symbol.for(key)]: ort });
  const names = Object.keys(ort).filter((name) => name !== 'default');
  const source = `const ort = globalThis[Symbol.for('${key}')]; export default ort; export const { ${names} } = ort;`;
  registerHooks({
    resolve: (specifier, context, next) =>
      replaced.test(specifier) ? { url: address, format: 'module', shortCircuit: true } : next(specifier, context),
    load: (url, context, next) =>
      url === address ? { format: 'module', source, shortCircuit: true } : next(url, context),
  });
}
