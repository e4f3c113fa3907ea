// The load, in a process of its own: node load.mjs MODULES URL BODY PATHS CLIENTS AMOUNT
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modules, url, file, paths, clients, amount] = process.argv.slice(2);
const autocannon = createRequire(join(modules, 'package.json'))('autocannon');
const body = readFileSync(file);
const headers = { 'content-type': 'application/octet-stream' };
const requests = Array.from({ length: Number(paths) }, (_, i) => ({ method: 'POST', path: `/${i}`, headers, body }));
let last;
const start = performance.now();
const done = autocannon({ url, connections: Number(clients), amount: Number(amount), timeout: 60, requests });
// It ends later, at its next sample.
done.on('response', () => {
  last = performance.now();
});
const result = await done;
console.log(
  JSON.stringify({
    failed: result.errors + result.timeouts + result.non2xx,
    average: (result['2xx'] * 1000) / (last - start),
    p50: result.latency.p50,
    p99: result.latency.p99,
  }),
);
