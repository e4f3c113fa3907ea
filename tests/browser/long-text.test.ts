// A text of 2,048 tokens in a page: its memory is the weights and the cache, and how a token's time grows is told.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect } from 'vitest';
import { modelFile } from '../../models/folder.ts';
import { withoutStories } from '../stories.ts';
import { browsers, type Driver } from './drivers.ts';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';

const model = modelFile('stories260k-kv');
const files: Readonly<Record<string, URL>> = {
  '/model.onnx': model,
  '/page-memory.js': new URL('../../bench/peers/page-memory.mjs', import.meta.url),
};
const port = servePackage((path) => {
  const file = files[path];
  return file !== undefined && existsSync(file) ? readFileSync(file) : undefined;
});

const mebibyte = 2 ** 20;
const [first, last] = [128, 2048];
/** Keys and values of 5 layers with 4 heads of 8 numbers, four bytes each. */
const cache = last * 2 * 5 * 4 * 8 * 4;

interface Told {
  tokens: number;
  /** What the session holds, and its WebAssembly memory, at both places. */
  heaps: number[];
  memories: number[];
  /** Of each token behind the first place. */
  milliseconds: number[];
}

const text = `(async () => {
  const { memoryBytes } = await import('/page-memory.js');
  const { Session } = await import('/index.js');
  const { textModel } = await import('/generate.js');
  const session = await Session.load('/model.onnx', { artefact: 'wasm', threads: 1 });
  const writer = textModel(session);
  const told = { tokens: 1, heaps: [], memories: [], milliseconds: [] };
  let before;
  for await (const _ of writer.stream([1], { maxTokens: ${last} - 1 })) {
    told.tokens += 1;
    const now = performance.now();
    if (told.tokens > ${first}) told.milliseconds.push(now - before);
    if (told.tokens === ${first} || told.tokens === ${last}) {
      told.heaps.push((await session.memory()).heap);
      told.memories.push(memoryBytes());
    }
    before = performance.now();
  }
  await session.release();
  return told;
})()`;

/** Microseconds that a token gets slower by for each position: the slope of a straight line through them. */
function slope(milliseconds: readonly number[]): number {
  const middle = (milliseconds.length - 1) / 2;
  const moments = milliseconds.map((time, i) => time * (i - middle));
  const squares = milliseconds.map((_, i) => (i - middle) ** 2);
  const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
  return (1000 * sum(moments)) / sum(squares);
}

const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

async function staysInItsMemory(driver: Driver): Promise<void> {
  await driver.open(`http://localhost:${port()}/`);
  const { tokens, heaps, memories, milliseconds } = await driver.evaluate<Told>(text);
  expect(tokens).toBe(last);
  const [heapFirst = 0, heapLast = 0] = heaps;
  const [memoryFirst = 0, memoryLast = 0] = memories;
  const ends = [milliseconds.slice(0, 100), milliseconds.slice(-100)].map((part) => median(part).toFixed(3));
  console.log(
    `from token ${first} to ${last}: ${ends.join(' to ')} ms a token, ${slope(milliseconds).toFixed(3)} µs more for each ` +
      `position; heap ${heapFirst} to ${heapLast} bytes, WebAssembly memory ${memoryFirst} to ${memoryLast}`,
  );
  const { size: weights } = statSync(model);
  expect(heapLast).toBeLessThan(weights + cache + 64 * mebibyte);
  // A cache has a quarter more room than it needs, and is there twice while it moves into a larger one.
  expect(heapLast - heapFirst).toBeLessThan(1.25 * cache + mebibyte);
  expect(memoryLast - memoryFirst).toBeLessThan(2.25 * cache + mebibyte);
}

inEachBrowser(browsers, `${last} tokens stay in the weights' and the cache's memory`, staysInItsMemory, withoutStories);
