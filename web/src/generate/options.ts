import { NeuromancerError } from '../api/errors.js';
import { checkOptions, type OptionRules } from '../api/names.js';
import type { WebAbortSignal } from '../host/host-types.js';
import { badWords } from './bad-words.js';
import { frequency } from './frequency.js';
import { minP } from './min-p.js';
import { noRepeat } from './no-repeat.js';
import type { LogitsProcessor } from './processor.js';
import { repetition } from './repetition.js';
import { temperature } from './temperature.js';
import { encode, type Tokenizer } from './tokenizer.js';
import { topK } from './top-k.js';
import { topP } from './top-p.js';
import { typical } from './typical.js';

export interface GenerateOptions {
  /** The most tokens to generate; by default 256. */
  maxTokens?: number;
  /** The least, before which no stop token is taken. */
  minTokens?: number;
  /** Above 0: the next token is drawn. Without this and the four below, it is always the likeliest. */
  temperature?: number;
  /** Draws from the likeliest `topK` tokens. */
  topK?: number;
  /** Draws from the likeliest tokens that have this probability together. */
  topP?: number;
  /** Draws from the tokens at least this many times as likely as the likeliest. */
  minP?: number;
  /** Draws from the tokens nearest to the expected surprise that have this probability together. */
  typicalP?: number;
  /** The same seed draws the same tokens; by default another one every time. */
  seed?: number;
  /** Divides the logits of tokens that are there already, in the prompt too. 1 is none. */
  repetitionPenalty?: number;
  /** Taken once from the logits of tokens that were generated. */
  presencePenalty?: number;
  /** Taken from them as often as the token was generated. */
  frequencyPenalty?: number;
  /** No run of so many tokens comes twice. */
  noRepeat?: number;
  /** Texts, or lists of tokens, that are not to be said. */
  badWords?: readonly (string | readonly number[])[];
  /** Ends the text before the first of these. */
  stop?: string | readonly string[];
  /** Tokens that end the text, beside those of the model. */
  stopTokens?: readonly number[];
  /** Functions that change the logits, after the penalties and before the choice. */
  processors?: readonly LogitsProcessor[];
  /** Beam search with so many beams: the likeliest text of those it finds. Not with `stream`, `stop` or drawing. */
  beams?: number;
  /** The power of the length that a beam's logarithm of probability is divided by: above 0 longer texts gain. Default 1. */
  lengthPenalty?: number;
  /**
   * Looks for what may come next in what was said, so many tokens, and lets the model check them in one run. The tokens
   * are the same, as far as the model's logits do not depend on how many tokens a run has; where a text repeats itself
   * they come faster.
   */
  lookup?: number;
  /** How many tokens a model's `draft` guesses at a time, where `lookup` finds none; by default 4. 0: it is not asked. */
  draft?: number;
  /** Forgets the cache of the text before, which otherwise serves as far as the new prompt begins with that text. */
  fresh?: boolean;
  signal?: WebAbortSignal;
}

const isNumber = (value: unknown) => typeof value === 'number' && !Number.isNaN(value);
const atLeast = (least: number) =>
  [
    `a whole number of ${least} or more`,
    (value: unknown) => Number.isInteger(value) && Number(value) >= least,
  ] as const;
const share = [
  'a number above 0, up to 1',
  (value: unknown) => isNumber(value) && Number(value) > 0 && Number(value) <= 1,
] as const;
const number = ['a number', isNumber] as const;
const positive = ['a number above 0', (value: unknown) => isNumber(value) && Number(value) > 0] as const;
const list = ['an array', Array.isArray] as const;

const rules: OptionRules = {
  maxTokens: atLeast(0),
  minTokens: atLeast(0),
  temperature: ['a number of 0 or more', (value) => isNumber(value) && Number(value) >= 0],
  topK: atLeast(1),
  topP: share,
  minP: share,
  typicalP: share,
  seed: number,
  repetitionPenalty: positive,
  presencePenalty: number,
  frequencyPenalty: number,
  noRepeat: atLeast(1),
  badWords: list,
  stop: ['a string or an array of strings', (value) => typeof value === 'string' || Array.isArray(value)],
  stopTokens: list,
  processors: list,
  beams: atLeast(1),
  lengthPenalty: number,
  lookup: atLeast(0),
  draft: atLeast(0),
  fresh: ['true or false', (value) => typeof value === 'boolean'],
  signal: ['an AbortSignal', (value) => typeof (value as AbortSignal | null)?.addEventListener === 'function'],
};

export function checkGenerateOptions(options: unknown): void {
  checkOptions('generate', options, rules);
}

/** Whether tokens are drawn, and not the likeliest taken. */
export function draws({ temperature: heat, topK: k, topP: p, minP: least, typicalP }: GenerateOptions): boolean {
  if (heat === 0) return false;
  return [heat, k, p, least, typicalP].some((value) => value !== undefined);
}

/** What changes the logits, in the order in which it does. */
export function processorsOf(options: GenerateOptions, tokenizer: Tokenizer | undefined): LogitsProcessor[] {
  const { repetitionPenalty, presencePenalty = 0, frequencyPenalty = 0, noRepeat: size, badWords: words } = options;
  const chain: LogitsProcessor[] = [];
  if (repetitionPenalty !== undefined && repetitionPenalty !== 1) chain.push(repetition(repetitionPenalty));
  if (presencePenalty !== 0 || frequencyPenalty !== 0) chain.push(frequency(presencePenalty, frequencyPenalty));
  if (size !== undefined) chain.push(noRepeat(size));
  if (words !== undefined) chain.push(badWords(words.flatMap((word) => spellings(word, tokenizer))));
  chain.push(...(options.processors ?? []));
  if (!draws(options)) return chain;
  const { temperature: heat = 1, topK: k, topP: p, minP: least, typicalP } = options;
  if (heat !== 1) chain.push(temperature(heat));
  if (k !== undefined) chain.push(topK(k));
  if (p !== undefined) chain.push(topP(p));
  if (least !== undefined) chain.push(minP(least));
  if (typicalP !== undefined) chain.push(typical(typicalP));
  return chain;
}

/** A word as tokens, at the beginning of a text and after a space. */
function spellings(word: string | readonly number[], tokenizer: Tokenizer | undefined): (readonly number[])[] {
  if (typeof word !== 'string') return [word];
  const all = [word, ` ${word}`].map((text) => encode(tokenizer, text, false)).filter(({ length }) => length > 0);
  if (all.length > 0) return all;
  throw new NeuromancerError('invalid_argument', `The tokenizer makes no tokens of "${word}" in "badWords".`);
}
