import { defineConfig } from 'vite';
import { catalogueModels } from './vite/catalogue-models.ts';
import { languageModel } from './vite/language-model.ts';
import { markdown } from './vite/markdown.ts';

// Cross-origin isolation: a page that may share memory with its workers.
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

// The built site needs neither eval nor blob workers; preview serves it under a policy that would refuse them.
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  'connect-src *',
].join('; ');

export default defineConfig({
  base: './',
  plugins: [catalogueModels(), languageModel(), markdown()],
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 600 },
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: { ...isolation, 'Content-Security-Policy': policy } },
});
