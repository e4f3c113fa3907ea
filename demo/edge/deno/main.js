// deno run --allow-net --allow-read --allow-env main.js
import process from 'node:process';
import { fetchHandler } from '../shared/fetch.js';

const handler = await fetchHandler(new URL('../digits.wasm', import.meta.url));
Deno.serve({ hostname: '127.0.0.1', port: Number(process.env.PORT ?? 8787) }, handler);
