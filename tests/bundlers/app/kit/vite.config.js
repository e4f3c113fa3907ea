import { sveltekit } from '@sveltejs/kit/vite';

// Kit's preview sends files without the headers that Vite's configuration names.
const isolated = {
  name: 'isolated',
  configurePreviewServer({ middlewares }) {
    middlewares.use((_request, response, next) => {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      next();
    });
  },
};

export default { plugins: [isolated, sveltekit()] };
