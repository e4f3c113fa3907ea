// Loads the model that comes on standard input, does what is asked, and must end by itself.
import { readFileSync } from 'node:fs';
import { Session, Tensor } from '../dist/index.js';

const [options, doing] = [JSON.parse(process.argv[2]), process.argv[3]];
const session = await Session.load(Buffer.from(readFileSync(0, 'utf8'), 'base64'), options);
const feeds = { x: new Tensor('float32', [1, 2]) };
if (doing === 'run') await session.run(feeds);
if (doing === 'view') await session.run(feeds, options.worker ? {} : { outputs: 'view' });
if (doing === 'abort') {
  await session.run(feeds, { signal: AbortSignal.abort() }).catch(() => {});
}
console.log('done');
