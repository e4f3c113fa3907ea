// The package as it is installed: its files lie beside this script.
import { asNeuromancerError } from './api/errors.js';
import { isThreaded } from './engine/loader.js';
import { filesBeside } from './files-beside.js';
import { useFiles } from './host/own-files.js';

async function workers() {
  try {
    return await import('./workers-beside.js');
  } catch (error) {
    throw asNeuromancerError(
      error,
      'engine_unavailable',
      // The one thing that a second try does not mend: Firefox keeps a module that could not be had.
      'workers-beside.js, which workers and threads need, could not be loaded (it is served beside this script; in Firefox reload the page)',
    );
  }
}

useFiles({
  engine(artefact) {
    // While the engine is on its way.
    if (isThreaded(artefact)) workers().catch(() => {});
    return filesBeside.engine(artefact);
  },
  inWorkers: async (...given) => (await workers()).inWorkers(...given),
  startThreads: async (...given) => (await workers()).startThreads(...given),
});

export * from './api.js';
