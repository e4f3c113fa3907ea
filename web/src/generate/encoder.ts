import { NeuromancerError } from '../api/errors.js';
import type { Session } from '../api/session.js';
import type { WebAbortSignal } from '../host/host-types.js';
import type { Feeds } from '../stream/stream.js';
import type { Tensor, TensorLike } from '../values/tensor.js';
import type { Form } from './form.js';
import { numbers } from './numbers.js';

/** What a decoder is given in every run of an encoder's input: its tokens, or any inputs by name (a spectrogram). */
export async function encoded(
  encoder: Session,
  decoder: Session,
  input: readonly number[] | Feeds,
  form: Form,
  signal: WebAbortSignal | undefined,
): Promise<Readonly<Record<string, TensorLike>>> {
  const feeds = isTokens(input) ? tokenFeeds(encoder, input) : input;
  const output = encoder.outputs.find(({ name }) => /hidden_state/.test(name)) ?? encoder.outputs[0];
  if (output === undefined) throw new NeuromancerError('invalid_model', 'The encoder has no output.');
  const outputs: Record<string, Tensor> = await encoder.run(feeds, {
    fetch: [output.name],
    ...(signal === undefined ? {} : { signal }),
  });
  const hidden = outputs[output.name] as Tensor;
  const given: Record<string, TensorLike> = {};
  for (const [{ name, type }, role] of form.roles) {
    if (role === 'encoded') given[name] = await decoder.keep(hidden);
    if (role !== 'encodedMask') continue;
    const length = hidden.shape[1] ?? 0;
    given[name] = numbers(type, Array<number>(length).fill(1), [1, length]);
  }
  return given;
}

function isTokens(input: readonly number[] | Feeds): input is readonly number[] {
  return Array.isArray(input);
}

function tokenFeeds(encoder: Session, ids: readonly number[]): Feeds {
  return Object.fromEntries(
    encoder.inputs.map(({ name, type }) => {
      const mask = /mask/.test(name);
      return [name, numbers(type, mask ? ids.map(() => 1) : ids, [1, ids.length])];
    }),
  );
}
