export default {
  resolve: { alias: [{ find: /^onnxruntime-(web|node)(\/.*)?$/, replacement: 'neuromancer/ort' }] },
  worker: { format: 'es' },
  build: { target: 'esnext' },
  logLevel: 'warn',
};
