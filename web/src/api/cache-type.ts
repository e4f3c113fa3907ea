/**
 * How a cache of float32 is stored that grows in place: as it is, at half or at a quarter of its size. Rows are rounded
 * when they are written, and the model reads them so; a row's float16s or 8-bit integers have a scale of their own. Its
 * tensors remain float32, and state that does not grow in place stays as it is.
 */
export type CacheType = 'float32' | 'float16' | 'int8';

export const cacheTypeRule = [
  '"float32", "float16" or "int8"',
  (value: unknown) => value === 'float32' || value === 'float16' || value === 'int8',
] as const;
