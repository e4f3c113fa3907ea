// The web's types that this package's own mention. A TypeScript project without the DOM library has no such names:
// there they become `never` or a plain form, and the rest of the declarations still holds.

export type GlobalOf<Name extends string, Otherwise = never> = typeof globalThis extends {
  [Key in Name]: { prototype: infer Instance };
}
  ? Instance
  : Otherwise;

export type WebResponse = GlobalOf<'Response'>;
export type WebBlob = GlobalOf<'Blob'>;
export type WebUrl = GlobalOf<'URL', { readonly href: string }>;
export type WebAbortSignal = GlobalOf<
  'AbortSignal',
  {
    readonly aborted: boolean;
    readonly reason: unknown;
    addEventListener(type: 'abort', listener: () => void): void;
    removeEventListener(type: 'abort', listener: () => void): void;
  }
>;
/** A `WebAssembly.Module`. */
export type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;
