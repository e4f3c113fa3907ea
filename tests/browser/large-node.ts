// Loads and runs a model in this Node, and prints what came of it, for large.test.ts:
//   node large-node.ts MODEL WEIGHTS ROW
import { pathToFileURL } from 'node:url';
import { Session, Tensor } from 'neuromancer';

const [model = '', weights = '', row = ''] = process.argv.slice(2);
/** What this process has ever held since then, in bytes. */
const before = process.memoryUsage().rss;
const held = () => process.resourceUsage().maxRSS * 1024 - before;
const start = performance.now();
const session = await Session.load(pathToFileURL(model), { externalData: { weights: pathToFileURL(weights) } });
const [loadMs, loadBytes] = [performance.now() - start, held()];
const { y } = await session.run({ row: new Tensor('int64', [Number(row)]) });
const runMs = performance.now() - start - loadMs;
const { arena } = await session.memory();
const { artefact, threads } = session.engine;
console.log(
  JSON.stringify({ artefact, threads, loadMs, loadBytes, runMs, arena, y: Array.from((y as Tensor).toFloat32()) }),
);
await session.release();
