// What a request to a component costs under `wasmtime serve`, which makes a new instance for each:
//   node bench/start/component.mjs WASMTIME COMPONENT… [--requests 400]
// The components take turns. Each request posts a picture of 784 bytes over a connection that stays open; printed are the
// median, the tenth and the least of the times from the first byte sent to the last one received, and, on Linux, what the
// server's threads took of the processor for one, which other programs disturb little.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { processorTime } from './processor-time.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { requests: { type: 'string', default: '400' } },
});
const [wasmtime, ...components] = positionals;
const picture = readFileSync(new URL('../../demo/embed/three.gray', import.meta.url));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

async function start(component) {
  const server = spawn(wasmtime, ['serve', '--addr=127.0.0.1:0', component], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(server, 'exit').then(([code]) => Promise.reject(new Error(`${wasmtime} ended with ${code}`)));
  ended.catch(() => {});
  for (let text = ''; ; ) {
    const [piece] = await Promise.race([once(server.stderr, 'data'), ended]);
    text += piece;
    const found = /http:\/\/[^\s]*:(\d+)/.exec(text);
    if (found !== null) return { component, server, port: Number(found[1]), times: [] };
  }
}

function post({ port }) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': picture.length };
    const start = performance.now();
    const sent = request({ host: '127.0.0.1', port, method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.on('data', (piece) => {
        text += piece;
      });
      response.on('end', () => {
        const time = performance.now() - start;
        if (JSON.parse(text).sign !== '3') reject(new Error(`the answer was ${text}`));
        resolve(time);
      });
    });
    sent.on('error', reject);
    sent.end(picture);
  });
}

const subjects = [];
for (const component of components) subjects.push(await start(component));
const requests = Number(values.requests);
try {
  for (const subject of subjects) {
    await post(subject);
    subject.before = processorTime(subject.server.pid);
  }
  for (let i = 0; i < requests; i++) {
    for (const subject of subjects) subject.times.push(await post(subject));
  }
  for (const subject of subjects) subject.processor = (processorTime(subject.server.pid) - subject.before) / requests;
} finally {
  for (const { server } of subjects) server.kill();
}
console.log(`load average ${loadavg()[0].toFixed(1)}; milliseconds: median, tenth, least (processor)`);
for (const { component, times, processor } of subjects) {
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(part * (times.length - 1))].toFixed(2);
  const brotli = brotliCompressSync(readFileSync(component)).length;
  const clock = `${at(0.5)}, ${at(0.1)}, ${at(0)} (${processor.toFixed(2)})`;
  console.log(`${component}: ${clock}; ${statSync(component).size} bytes, with brotli ${brotli}`);
}
