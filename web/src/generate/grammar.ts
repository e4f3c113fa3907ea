import { NeuromancerError } from '../api/errors.js';
import type { LogitsProcessor } from './processor.js';

/** What this package needs of a grammar's matcher; `GrammarMatcher` of `@mlc-ai/web-xgrammar` is one. */
export interface GrammarMatcher {
  /** Whether the token may come next; if so, it has. */
  acceptToken(id: number): boolean;
  /** A bit for each token, set for those that may come next. */
  getNextTokenBitmask(): Int32Array | Promise<Int32Array>;
  /** Takes the last tokens back. */
  rollBack(count: number): void;
  /** Takes all of them back. */
  reset(): void;
}

/**
 * Rules out every token that would leave the grammar, which is that of the text that is generated, not of the prompt. A
 * matcher is for one text at a time, and may be used again for the next.
 */
export function withinGrammar(matcher: GrammarMatcher): LogitsProcessor {
  const accepted: number[] = [];
  return async (logits, { ids, promptLength }) => {
    const text = ids.slice(promptLength);
    if (text.length === 0) {
      matcher.reset();
      accepted.length = 0;
    }
    let same = 0;
    while (same < accepted.length && accepted[same] === text[same]) same += 1;
    // Beams take turns, and each has said something else.
    if (same < accepted.length) matcher.rollBack(accepted.length - same);
    accepted.length = same;
    for (const id of text.slice(same)) {
      if (!matcher.acceptToken(id)) {
        throw new NeuromancerError(
          'invalid_argument',
          `The grammar does not take the token ${id}, which it allowed: two texts at a time use its matcher; make one for each.`,
        );
      }
      accepted.push(id);
    }
    const mask = await matcher.getNextTokenBitmask();
    for (let id = 0; id < logits.length; id++) {
      if ((((mask[id >> 5] ?? 0) >> (id & 31)) & 1) === 0) logits[id] = Number.NEGATIVE_INFINITY;
    }
  };
}

/** A tokenizer's tokens by their ids, and how they stand for bytes: what `TokenizerInfo` of that library is made of. */
export interface Vocabulary {
  readonly tokens: string[];
  readonly type: 'raw' | 'byte_fallback' | 'byte_level';
}

interface TokenizerFile {
  readonly model?: { readonly vocab?: Readonly<Record<string, number>> | readonly (readonly [string, number])[] };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special?: boolean }[];
  readonly decoder?: Part | null;
}
interface Part {
  readonly type?: string;
  readonly decoders?: readonly Part[];
}

/** Reads a `tokenizer.json`. */
export function vocabularyOf(tokenizer: object): Vocabulary {
  const { model, added_tokens: added = [], decoder } = tokenizer as TokenizerFile;
  const { vocab } = model ?? {};
  if (typeof vocab !== 'object' || vocab === null) {
    throw new NeuromancerError(
      'invalid_argument',
      'The tokenizer has no "model.vocab": pass what JSON.parse makes of a tokenizer.json.',
    );
  }
  const tokens: string[] = [];
  const entries = Array.isArray(vocab)
    ? (vocab as readonly (readonly [string, number])[]).map(([text], id) => [text, id] as const)
    : Object.entries(vocab as Readonly<Record<string, number>>);
  // Special tokens stand for no text: a grammar must not take "<s>" for three letters.
  const others = added.map(({ content, id, special }) => [special ? '' : content, id] as const);
  for (const [text, id] of [...entries, ...others]) {
    if (!Number.isSafeInteger(id) || id < 0 || id >= mostTokens) {
      throw new NeuromancerError('invalid_argument', `The tokenizer's token ${JSON.stringify(text)} has the id ${id}.`);
    }
    tokens[id] = text;
  }
  for (let id = 0; id < tokens.length; id++) tokens[id] ??= '';
  const kinds = [decoder, ...(decoder?.decoders ?? [])].map((part) => part?.type);
  const type = kinds.includes('ByteLevel') ? 'byte_level' : kinds.includes('ByteFallback') ? 'byte_fallback' : 'raw';
  return { tokens, type };
}

/** Far more than any model has; an id beyond is a broken file, and would take its number of entries. */
const mostTokens = 1 << 24;
