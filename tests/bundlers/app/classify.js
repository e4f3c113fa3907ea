// What every cell of the matrix does: reads a drawn digit, with whatever the host offers.
import { Session, Tensor } from 'neuromancer';

async function classify(model, ink, options) {
  const session = await Session.load(model, options);
  const { probabilities } = await session.run({ image: new Tensor('float32', ink, [1, 1, 28, 28]) });
  const { threads, worker, artefact } = session.engine;
  await session.release();
  return { digit: probabilities.argmax(), threads, worker, artefact };
}

/** By the modes' names: what was read and on what, or how it failed. */
export async function classifyInAllModes(model, ink, modes) {
  const results = {};
  for (const [mode, options] of Object.entries(modes)) {
    results[mode] = await classify(model, ink, options).catch(({ code, message }) => ({ code, message }));
  }
  return results;
}

// Two threads are asked for: how many processors there are is the machine's affair, and WebKit says another number.
export const modes = { plain: { threads: 2 }, one: { threads: 1 }, worker: { threads: 2, worker: true } };
