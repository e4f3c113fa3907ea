// For programs that only open bundles (`Session.fromBundle`): the engine is in the bundle, so this entry brings none,
// which a bundler would copy beside the program and an edge isolate would compile.
import { NeuromancerError } from './api/errors.js';
import { useFiles } from './host/own-files.js';

useFiles({
  async engine() {
    throw new NeuromancerError(
      'engine_unavailable',
      '"neuromancer/bundled" has no engine of its own: open a bundle with Session.fromBundle, give the engine by the ' +
        'option "wasm", or import "neuromancer".',
    );
  },
});

export * from './api.js';
