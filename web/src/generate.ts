// Writing text with language models: an entry of its own.
export { NeuromancerError } from './api/errors.js';
export { type GrammarMatcher, type Vocabulary, vocabularyOf, withinGrammar } from './generate/grammar.js';
export type { GenerateOptions } from './generate/options.js';
export type { Context, LogitsProcessor } from './generate/processor.js';
export { type Random, seeded } from './generate/random.js';
export {
  type EncoderDecoder,
  type Ending,
  type Generated,
  type Message,
  type Piece,
  type Prompt,
  TextModel,
  type TextModelOptions,
  textModel,
} from './generate/text-model.js';
export type { ChatTemplate, Tokenizer, TokenList } from './generate/tokenizer.js';
