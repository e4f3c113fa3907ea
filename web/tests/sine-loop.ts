// A loop that takes as long as a test wants.
import { Tensor } from '../dist/index.js';
import type { NodeSpec } from './onnx-writer.js';

/** y = `from` after as many rounds of a sine as the input "rounds" says, while "go" is true. */
export const sineLoop = (from: string): NodeSpec => ({
  op: 'Loop',
  inputs: ['rounds', 'go', from],
  outputs: ['y'],
  attributes: {
    body: {
      nodes: [
        { op: 'Identity', inputs: ['go_in'], outputs: ['go_out'] },
        { op: 'Sin', inputs: ['value_in'], outputs: ['value_out'] },
      ],
      inputs: { round: 'int64', go_in: 'bool', value_in: 'float32' },
      outputs: { go_out: 'bool', value_out: 'float32' },
    },
  },
});

/** The model's inputs for it. */
export const loopInputs = { rounds: 'int64', go: 'bool' };

export const loopFeeds = (rounds: bigint) => ({
  rounds: new Tensor('int64', [rounds], []),
  go: new Tensor('bool', [true], []),
});
