// What a decoder wants beside its state, found from the names and types of its inputs.
import type { ValueInfo } from '../api/description.js';
import { NeuromancerError } from '../api/errors.js';
import type { Session } from '../api/session.js';
import type { Feeds } from '../stream/stream.js';

/** What each input is given. */
export type Role =
  /** The tokens of this run. */
  | 'ids'
  /** Ones for all positions, those in the cache included. */
  | 'mask'
  /** The places of this run's tokens. */
  | 'positions'
  /** The same without a batch. */
  | 'cachePositions'
  /** Whether there is a cache yet. */
  | 'branch'
  /** For how many of the last tokens there are to be logits. */
  | 'rows'
  /** The last position of all, as GroupQueryAttention counts. */
  | 'lastPosition'
  /** The positions in the cache. */
  | 'pastLength'
  /** Those and this run's. */
  | 'totalLength'
  /** What the encoder made, and its mask. */
  | 'encoded'
  | 'encodedMask';

export interface Form {
  readonly roles: readonly (readonly [input: ValueInfo, role: Role])[];
  /** The output with the logits. */
  readonly logits: string;
  /** Logits of several tokens of one run are to be had. */
  readonly severalRows: boolean;
  /** A run that makes logits makes those of all its tokens. */
  readonly everyRow: boolean;
}

const names: Readonly<Record<Role, RegExp>> = {
  ids: /^(decoder_)?(input_ids|tokens|token_ids|ids|input)$/,
  mask: /^(decoder_)?attention_mask$/,
  positions: /^(decoder_)?position_ids$/,
  cachePositions: /^cache_position$/,
  branch: /^use_cache(_branch)?$/,
  rows: /^(num_)?logits_to_keep$/,
  lastPosition: /^seqlens_k$/,
  pastLength: /^past_seq(uence)?_len(gth)?$/,
  totalLength: /^total_seq(uence)?_len(gth)?$/,
  encoded: /^encoder_hidden_states$|^encoder_outputs?$/,
  encodedMask: /^encoder_attention_mask$/,
};

/** `given` are inputs that the caller gives in every run, `state` those that a stream gives. */
export function formOf(session: Session, state: readonly string[], given: Feeds): Form {
  const roles: (readonly [ValueInfo, Role])[] = [];
  for (const input of session.inputs) {
    if (state.includes(input.name) || Object.hasOwn(given, input.name)) continue;
    const role = (Object.keys(names) as Role[]).find((each) => names[each].test(input.name));
    if (role !== undefined) roles.push([input, role]);
    else if (input.optional !== true) {
      throw new NeuromancerError(
        'invalid_argument',
        `The model has an input "${input.name}" that is none a text model is known to have; give its value with the option "feeds".`,
        { input: input.name },
      );
    }
  }
  if (!roles.some(([, role]) => role === 'ids')) {
    throw new NeuromancerError(
      'invalid_argument',
      `The model has no input for tokens ("input_ids"); its inputs are ${list(session.inputs)}.`,
    );
  }
  const floats = session.outputs.filter(({ type }) => /^b?float/.test(type));
  const logits =
    floats.find(({ name }) => /logits/.test(name)) ?? (session.outputs.length === 1 ? floats[0] : undefined);
  if (logits === undefined) {
    throw new NeuromancerError(
      'invalid_argument',
      `The model has no output "logits"; its outputs are ${list(session.outputs)}.`,
    );
  }
  const counts = roles.some(([, role]) => role === 'rows');
  const rows = logits.shape?.length === 3;
  return { roles, logits: logits.name, severalRows: counts || rows, everyRow: rows && !counts };
}

function list(infos: readonly ValueInfo[]): string {
  return infos.map(({ name }) => `"${name}"`).join(', ');
}
