// Loads a model in a worker, runs it once and prints how many numbers came out; the process must end by itself.
import { Session, Tensor } from '../dist/index.js';

const [model, artefact] = process.argv.slice(2);
const session = await Session.load(new URL(model), {
  artefact,
  threads: /threads|64/.test(artefact) ? 2 : 1,
  worker: true,
});
const { probabilities } = await session.run({ image: new Tensor('float32', new Float32Array(784), [1, 1, 28, 28]) });
console.log(probabilities.size);
