import { NeuromancerError } from '../api/errors.js';
import type { WebAbortSignal } from '../host/host-types.js';
import { logSoftmax } from '../values/softmax.js';
import type { Decoder } from './decoder.js';
import type { LogitsProcessor } from './processor.js';

export interface BeamSearch {
  readonly beams: number;
  readonly maxTokens: number;
  readonly minTokens: number;
  readonly lengthPenalty: number;
  readonly stopTokens: ReadonlySet<number>;
  readonly processors: readonly LogitsProcessor[];
  readonly signal: WebAbortSignal | undefined;
}

interface Beam {
  readonly decoder: Decoder;
  readonly ids: readonly number[];
  /** The logarithm of its probability. */
  readonly score: number;
}

interface Ended {
  readonly ids: readonly number[];
  readonly stopped: boolean;
  readonly score: number;
}

/**
 * The likeliest continuation of `prompt` among those that the search finds, by its logarithm of probability divided by
 * its length (the stop token counted) to the power of `lengthPenalty`. Beams share what their caches have in common.
 * `decoder` stays the caller's.
 */
export async function beamSearch(decoder: Decoder, prompt: readonly number[], search: BeamSearch): Promise<Ended> {
  const { beams, maxTokens, minTokens, lengthPenalty, stopTokens, processors, signal } = search;
  const scored = (score: number, length: number) => score / length ** lengthPenalty;
  let live: Beam[] = [{ decoder: decoder.fork(), ids: [], score: 0 }];
  let ended: Ended[] = [];
  try {
    for (let length = 1; length <= maxTokens && live.length > 0; length++) {
      const next: { beam: Beam; id: number; score: number }[] = [];
      for (const beam of live) {
        const all = [...prompt, ...beam.ids];
        const [logits] = await beam.decoder.read(all.slice(beam.decoder.ids.length), signal);
        const row = logits as Float32Array;
        const context = { ids: all, promptLength: prompt.length };
        if (beam.ids.length < minTokens) for (const id of stopTokens) row[id] = Number.NEGATIVE_INFINITY;
        for (const process of processors) await process(row, context);
        const logs = logSoftmax(row);
        // A stop token per beam at the most leaves enough others.
        for (const id of best(logs, beams + stopTokens.size)) {
          next.push({ beam, id, score: beam.score + (logs[id] as number) });
        }
      }
      next.sort((a, b) => b.score - a.score);
      const chosen: typeof next = [];
      for (const candidate of next) {
        if (chosen.length === beams || candidate.score === Number.NEGATIVE_INFINITY) break;
        if (!stopTokens.has(candidate.id)) chosen.push(candidate);
        else ended.push({ ids: candidate.beam.ids, stopped: true, score: scored(candidate.score, length) });
      }
      ended = ended.sort((a, b) => b.score - a.score).slice(0, beams);
      live = descend(live, chosen);
      const hope = scored(live[0]?.score ?? Number.NEGATIVE_INFINITY, length);
      if (ended.length === beams && (ended.at(-1) as Ended).score >= hope) break;
    }
    const all = [
      ...ended,
      ...live.map(({ ids, score }) => ({ ids, stopped: false, score: scored(score, ids.length || 1) })),
    ];
    const first = all.sort((a, b) => b.score - a.score)[0];
    if (first !== undefined) return first;
    throw new NeuromancerError(
      'invalid_data',
      'No token is left to choose from; relax badWords, noRepeat or the processors.',
    );
  } finally {
    for (const beam of live) beam.decoder.dispose();
  }
}

/** The beams that go on; a decoder whose beam does not is given back. */
function descend(live: readonly Beam[], chosen: readonly { beam: Beam; id: number; score: number }[]): Beam[] {
  const used = new Set<Decoder>();
  const next = chosen.map(({ beam, id, score }) => {
    const decoder = used.has(beam.decoder) ? beam.decoder.fork() : beam.decoder;
    used.add(beam.decoder);
    return { decoder, ids: [...beam.ids, id], score };
  });
  for (const { decoder } of live) if (!used.has(decoder)) decoder.dispose();
  return next;
}

/** The indices of the largest values, the largest first. */
function best(values: Float64Array, count: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (found.length === count && value <= (values[found.at(-1) as number] as number)) continue;
    let at = found.length;
    while (at > 0 && value > (values[found[at - 1] as number] as number)) at--;
    found.splice(at, 0, i);
    if (found.length > count) found.pop();
  }
  return found;
}
