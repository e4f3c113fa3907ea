// The service itself, without a word of any host: a request's parts in, a status and an object out.
import { NeuromancerError, Session, Tensor } from 'neuromancer/bundled';
import labels from './labels.js';
import { Refusal } from './refusal.js';

/** The longest body that is taken. */
export const mostBytes = 100_000;

/** The engine's codes for what a caller gave. */
const callersErrors = ['invalid_argument', 'invalid_data', 'shape_mismatch'];

/** Of each content type, the ink that the network takes. The decoder is read when the first PNG comes: a start need not wait. */
const readers = {
  'image/png': async (bytes) => (await import('./picture.js')).inkOfPng(bytes),
  // One byte a pixel, 255 for ink. Their number is left to the engine, which says what it expected.
  'application/octet-stream': (bytes) => Float32Array.from(bytes, (byte) => byte / 255),
};

/**
 * Answers requests with the session inside a bundle. A host's glue gives the method, the content type and a function
 * that reads the body, of at most `mostBytes`.
 */
export async function service(bundle) {
  let session = await Session.fromBundle(bundle);
  return async ({ method, type, read }) => {
    try {
      if (method === 'GET') return { status: 200, body: { inputs: session.inputs, engine: session.engine } };
      if (method !== 'POST') throw new Refusal(405, 'Post a picture, or get a description of the model.');
      const reader = readers[(type ?? '').split(';')[0].trim().toLowerCase()];
      if (reader === undefined) {
        const known = Object.keys(readers).join(' or ');
        throw new Refusal(415, `The content type "${type ?? ''}" is not known; post ${known}.`);
      }
      const image = new Tensor('float32', await reader(await read(mostBytes)), [1, 1, 28, 28]);
      const { probabilities } = await session.run({ image });
      return { status: 200, body: best(probabilities.data) };
    } catch (error) {
      // A session that broke is never used again; the next one is born ready, too.
      if (error.code === 'session_closed' || error.code === 'internal') session = await Session.fromBundle(bundle);
      return failure(error);
    }
  };
}

function best(probabilities) {
  const signs = Array.from(probabilities, (probability, i) => ({ sign: labels[i], probability }));
  const [first, ...others] = signs.sort((a, b) => b.probability - a.probability).slice(0, 3);
  return { ...first, others };
}

function failure(error) {
  if (error instanceof Refusal) return { status: error.status, body: errorOf(error) };
  const theirs = error instanceof NeuromancerError && callersErrors.includes(error.code);
  return { status: theirs ? 400 : 500, body: errorOf(error) };
}

function errorOf({ code = 'internal', message }) {
  return { error: { code, message } };
}

export function tooLarge() {
  return new Refusal(413, `The body is longer than ${mostBytes} bytes.`);
}
