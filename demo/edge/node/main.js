// node main.js
import { createServer } from 'node:http';
import { nodeHandler } from '../shared/node.js';

const server = createServer(await nodeHandler(new URL('../digits.wasm', import.meta.url)));
server.listen(Number(process.env.PORT ?? 8787), process.env.HOST ?? '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
