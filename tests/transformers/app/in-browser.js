// Every task in a page or a worker.
import { runTasks } from './tasks.js';

export async function runHere(transformers, options) {
  Object.assign(transformers.env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/models/' });
  const results = await runTasks(transformers, { options });
  const cached = await (await caches.open(transformers.env.cacheKey)).keys();
  return { results, cached: cached.length };
}
