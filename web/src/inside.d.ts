// What the build puts in place of these names (scripts/build.mjs).

/** The engine of one thread: gzip, then base64. */
declare module 'neuromancer:engine' {
  const base64: string;
  export default base64;
}

/** The text of worker.js: gzip, then base64. */
declare module 'neuromancer:worker' {
  const base64: string;
  export default base64;
}

/** As Cloudflare Workers import it: a compiled module. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
