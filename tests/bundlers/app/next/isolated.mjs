// A configuration for pages that share memory.
const headers = [
  { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
  { key: 'Cross-Origin-Embedder-Policy', value: 'require-corp' },
];

export default {
  headers: () => [{ source: '/:path*', headers }],
  // The project lies in the folder of another one.
  turbopack: { root: import.meta.dirname },
};
