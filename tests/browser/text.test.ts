// A small model tells a story in a page: in the page itself and in a session's worker, the same as in Node.
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { modelFile, whyWithout } from '../../models/folder.ts';
import { textModel } from '../../web/dist/generate.js';
import { Session } from '../../web/dist/index.js';
import { browsers, type Driver } from './drivers.ts';
import { servePackage } from './package-server.ts';

const model = modelFile('stories260k-kv');
const withoutModel = whyWithout('stories260k-kv');
/** "Once upon a time, there was a" */
const prompt = [1, 403, 407, 261, 378, 432, 387, 356, 281, 261];
const count = 80;

const port = servePackage((path) => (path === '/model.onnx' && existsSync(model) ? readFileSync(model) : undefined));

/** Tells the story in a page. */
const story = (worker: boolean) => `(async () => {
  const { Session } = await import('/index.js');
  const { textModel } = await import('/generate.js');
  const session = await Session.load('/model.onnx', { artefact: 'wasm', threads: 1, worker: ${worker} });
  const writer = textModel(session, { chunk: 4 });
  const ids = [];
  for await (const piece of writer.stream(${JSON.stringify(prompt)}, { maxTokens: ${count} })) ids.push(piece.id);
  const controller = new AbortController();
  const cancelled = writer.generate([1], { maxTokens: 100000, signal: controller.signal }).catch((e) => e.code);
  setTimeout(() => controller.abort(), 50);
  const code = await cancelled;
  const again = await writer.generate(${JSON.stringify(prompt)}, { maxTokens: 5 });
  await session.release();
  return { ids, code, again: again.ids };
})()`;

describe.each(browsers)('$name', ({ start, path }) => {
  const why = path === undefined ? ' (skipped: not installed)' : withoutModel;
  let driver: Driver | undefined;
  afterEach(async () => {
    await driver?.close();
    driver = undefined;
  });

  test.skipIf(why !== '').each([false, true])(
    `tells the same story, is cancelled and goes on (worker: %s)${why}`,
    async (worker) => {
      const session = await Session.load(model, { artefact: 'wasm', threads: 1 });
      const expected = (await textModel(session).generate(prompt, { maxTokens: count })).ids;
      await session.release();
      driver = await start(path as string);
      await driver.open(`http://localhost:${port()}/`);
      const told = await driver.evaluate<{ ids: number[]; code: string; again: number[] }>(story(worker));
      expect(told).toEqual({ ids: expected, code: 'cancelled', again: expected.slice(0, 5) });
      expect(driver.errors).toEqual([]);
    },
  );
});
