// What a request costs a component under `wasmtime serve`, or a program for Fastly Compute under Viceroy; both make a new
// instance for each request:
//   node bench/start/component.mjs [--wasmtime PROGRAM] [--viceroy PROGRAM] [--requests 400] FILE…
// FILE is a component, or a core module, which Viceroy takes. The files take turns. Each request posts a picture of 784
// bytes over a connection that stays open; printed are the median, the tenth and the least of the times from the first byte
// sent to the last one received, and, on Linux, what the server's threads took of the processor for one, which other
// programs disturb little.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { processorTime } from './processor-time.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    wasmtime: { type: 'string', default: 'wasmtime' },
    viceroy: { type: 'string', default: 'viceroy' },
    requests: { type: 'string', default: '400' },
  },
});
const picture = readFileSync(new URL('../../demo/embed/three.gray', import.meta.url));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Components say so in the half of their version that modules have as zero. */
const isComponent = (file) => readFileSync(file).readUInt16LE(6) !== 0;

const program = (file, port) =>
  isComponent(file)
    ? [values.wasmtime, ['serve', `--addr=127.0.0.1:${port}`, file]]
    : [values.viceroy, [`--addr=127.0.0.1:${port}`, file]];

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

async function start(file) {
  const port = await freePort();
  const server = spawn(...program(file, port), { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(server, 'exit').then(([code]) =>
    Promise.reject(new Error(`${server.spawnfile} ended with ${code}`)),
  );
  ended.catch(() => {});
  const subject = { file, server, port, times: [] };
  for (let tries = 0; ; tries++) {
    try {
      await Promise.race([post(subject), ended]);
      return subject;
    } catch (error) {
      if (error.code !== 'ECONNREFUSED' || tries === 300) {
        server.kill();
        throw error;
      }
      await setTimeout(100);
    }
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
const requests = Number(values.requests);
try {
  for (const file of positionals) subjects.push(await start(file));
  for (const subject of subjects) subject.before = processorTime(subject.server.pid);
  for (let i = 0; i < requests; i++) {
    for (const subject of subjects) subject.times.push(await post(subject));
  }
  for (const subject of subjects) subject.processor = (processorTime(subject.server.pid) - subject.before) / requests;
} finally {
  for (const { server } of subjects) server.kill();
}
console.log(`load average ${loadavg()[0].toFixed(1)}; milliseconds: median, tenth, least (processor)`);
for (const { file, times, processor } of subjects) {
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(part * (times.length - 1))].toFixed(2);
  const brotli = brotliCompressSync(readFileSync(file)).length;
  const clock = `${at(0.5)}, ${at(0.1)}, ${at(0)} (${processor.toFixed(2)})`;
  console.log(`${file}: ${clock}; ${statSync(file).size} bytes, with brotli ${brotli}`);
}
