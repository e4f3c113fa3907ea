// bun main.js
import { fetchHandler } from '../shared/fetch.js';

const { port } = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT ?? 8787),
  fetch: await fetchHandler(new URL('../digits.wasm', import.meta.url)),
});
console.log(`http://127.0.0.1:${port}/`);
