// One measurement in a process of its own; prints it as JSON.
//   node [--expose-gc] measure.mjs WHAT SUBJECT [SESSIONS]
import { readFileSync } from 'node:fs';
import { subjects } from './subjects.mjs';

const [what, name, count] = process.argv.slice(2);
const subject = await subjects[name]();

const since = (start) => performance.now() - start;

const measurements = {
  async compile() {
    const bytes = readFileSync(subject.wasm);
    const start = performance.now();
    await WebAssembly.compile(bytes);
    return since(start);
  },
  /** A new instance, when the process has made some already. */
  async instance() {
    const module = await subject.compile();
    const times = [];
    for (let i = 0; i < 60; i++) {
      const start = performance.now();
      await WebAssembly.instantiate(module, {});
      times.push(since(start));
    }
    return times.slice(10).sort((a, b) => a - b)[25];
  },
  /** With the module compiled, but none of its functions used yet. */
  async first() {
    const module = await subject.compile();
    const start = performance.now();
    await subject.run(await subject.open(module));
    return since(start);
  },
  async all() {
    const start = performance.now();
    await subject.run(await subject.open(await subject.compile?.()));
    return since(start);
  },
  async answer() {
    return Array.from(await subject.run(await subject.open(await subject.compile?.())));
  },
  /** Bytes for each session that has run once and rests. */
  async memory() {
    const module = await subject.compile?.();
    const sessions = [await subject.open(module)];
    await subject.run(sessions[0]);
    const before = settled();
    for (let i = 0; i < Number(count); i++) {
      const session = await subject.open(module);
      await subject.run(session);
      sessions.push(session);
    }
    const after = settled();
    return { rss: (after.rss - before.rss) / count, heap: (after.heapUsed - before.heapUsed) / count };
  },
};

function settled() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  return process.memoryUsage();
}

console.log(JSON.stringify(await measurements[what]()));
// What a subject keeps running is no part of its start.
process.exit();
