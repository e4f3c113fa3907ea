// One measurement in a process of its own; prints it as JSON.
//   node [--expose-gc] measure.mjs WHAT SUBJECT [SESSIONS]
import { subjects } from './subjects.mjs';

const [what, name, count] = process.argv.slice(2);

/** Milliseconds on the clock since the process began, and of the processor in all its threads. */
function mark() {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now(), cpu: (user + system) / 1000 };
}

const between = (from, to) => ({ wall: to.wall - from.wall, cpu: to.cpu - from.cpu });

const measurements = {
  async start() {
    const subject = await subjects[name]();
    const begin = mark();
    const module = await subject.compile?.();
    const compiled = mark();
    await subject.run(await subject.open(module));
    const end = mark();
    const times = { all: between(begin, end), process: end };
    if (module === undefined) return times;
    const instance = await instances(module);
    return { compile: between(begin, compiled), instance, first: between(compiled, end), ...times };
  },
  nothing: async () => ({ process: mark() }),
  async answer() {
    const subject = await subjects[name]();
    return Array.from(await subject.run(await subject.open(await subject.compile?.())));
  },
  /** Bytes for each session that has run once and rests. */
  async memory() {
    const subject = await subjects[name]();
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

/** The median of some. */
async function instances(module) {
  const times = [];
  for (let i = 0; i < 41; i++) {
    const begin = mark();
    await WebAssembly.instantiate(module, {});
    times.push(between(begin, mark()));
  }
  return times.sort((a, b) => a.wall - b.wall)[20];
}

function settled() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  return process.memoryUsage();
}

console.log(JSON.stringify(await measurements[what]()));
// What a subject keeps running is no part of its start.
process.exit();
