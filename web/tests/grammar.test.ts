// Text that keeps to a grammar: with a small one of our own, and with the library that the guide names.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { afterAll, describe, expect, test } from 'vitest';
import { modelFile } from '../../models/folder.js';
import { storiesConfig, storiesEnd, storiesTokenizer, withoutStories } from '../../tests/stories.js';
import { type GrammarMatcher, NeuromancerError, textModel, vocabularyOf, withinGrammar } from '../dist/generate.js';
import { Session } from '../dist/index.js';
import { built } from './places.js';
import { decoderOnly, words } from './toy-decoders.js';

const options = { artefact: 'wasm', threads: 1 } as const;

/** Tokens that rise by 1 to 3, and the first of which is even. */
class Rising implements GrammarMatcher {
  readonly said: number[] = [];
  #allows(id: number): boolean {
    const last = this.said.at(-1);
    return last === undefined ? id % 2 === 0 : id > last && id <= last + 3;
  }
  acceptToken(id: number): boolean {
    if (!this.#allows(id)) return false;
    this.said.push(id);
    return true;
  }
  getNextTokenBitmask(): Int32Array {
    const mask = new Int32Array(Math.ceil(words / 32));
    for (let id = 0; id < words; id++)
      if (this.#allows(id)) mask[id >> 5] = (mask[id >> 5] as number) | (1 << (id & 31));
    return mask;
  }
  rollBack(count: number): void {
    if (count > this.said.length) throw new Error('more than was said');
    this.said.length -= count;
  }
  reset(): void {
    this.said.length = 0;
  }
}

function rises(ids: readonly number[]): boolean {
  return ids.every((id, i) =>
    i === 0 ? id % 2 === 0 : id > (ids[i - 1] as number) && id <= (ids[i - 1] as number) + 3,
  );
}

describe('a grammar', () => {
  test.skipIf(!built('wasm'))('rules out what would leave it, however tokens are chosen', async () => {
    const session = await Session.load(decoderOnly, options);
    const [writer, draft] = [textModel(session), textModel(session)];
    const helped = textModel(session, { draft });
    const processors = [withinGrammar(new Rising())];
    const prompt = [5, 1, 5, 1, 5];
    const plain = await writer.generate(prompt, { maxTokens: 5, processors });
    expect(rises(plain.ids)).toBe(true);
    for (const more of [{ lookup: 3 }, { temperature: 1, seed: 3 }, { beams: 3 }, {}]) {
      const { ids } = await writer.generate(prompt, { maxTokens: 5, processors, ...more });
      expect(ids).toHaveLength(5);
      expect(rises(ids)).toBe(true);
      if (!('seed' in more) && !('beams' in more)) expect(ids).toEqual(plain.ids);
    }
    expect((await helped.generate(prompt, { maxTokens: 5, processors })).ids).toEqual(plain.ids);
    expect((await writer.generate(prompt, { maxTokens: 5 })).ids.length).toBe(5);
    await session.release();
  });

  test('that two texts use at once says so', async () => {
    const matcher = new Rising();
    const [one, other] = [withinGrammar(matcher), withinGrammar(matcher)];
    const logits = () => new Float32Array(words);
    await one(logits(), { ids: [], promptLength: 0 });
    await one(logits(), { ids: [8], promptLength: 0 });
    await other(logits(), { ids: [], promptLength: 0 });
    await other(logits(), { ids: [2], promptLength: 0 });
    await expect(one(logits(), { ids: [8, 9], promptLength: 0 })).rejects.toThrow(NeuromancerError);
  });

  test('knows a vocabulary from a tokenizer’s file', () => {
    const added = [
      { id: 3, content: '<s>', special: true },
      { id: 5, content: '<tool>' },
    ];
    const bytes = { model: { vocab: { a: 0, b: 2, '<s>': 3 } }, added_tokens: added, decoder: { type: 'ByteLevel' } };
    expect(vocabularyOf(bytes)).toEqual({ tokens: ['a', '', 'b', '', '', '<tool>'], type: 'byte_level' });
    const unigram = {
      model: {
        vocab: [
          ['<unk>', 0],
          ['▁a', -1.5],
        ],
      },
      decoder: { type: 'Sequence', decoders: [{ type: 'Replace' }, { type: 'ByteFallback' }] },
    };
    expect(vocabularyOf(unigram)).toEqual({ tokens: ['<unk>', '▁a'], type: 'byte_fallback' });
    expect(vocabularyOf({ model: { vocab: { a: 0 } }, decoder: null }).type).toBe('raw');
    expect(() => vocabularyOf({})).toThrow('The tokenizer has no "model.vocab"');
    for (const id of [-1, 0.5, 2 ** 40])
      expect(() => vocabularyOf({ model: { vocab: { a: id } } })).toThrow('has the id');
  });
});

describe('@mlc-ai/web-xgrammar', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xgrammar-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  // Its one file is a script for browsers and CommonJS, in a package that says it is a module.
  const library = () => {
    const require = createRequire(import.meta.url);
    const file = join(folder, 'xgrammar.cjs');
    copyFileSync(require.resolve('@mlc-ai/web-xgrammar'), file);
    return require(file) as typeof import('@mlc-ai/web-xgrammar');
  };

  test.skipIf(!built('wasm') || withoutStories !== '')(
    `makes JSON of a schema, also of a model that never saw any${withoutStories}`,
    async () => {
      const { GrammarCompiler, GrammarMatcher: Matcher, TokenizerInfo } = library();
      const file = storiesTokenizer();
      const { tokens, type } = vocabularyOf(file);
      const info = await TokenizerInfo.createTokenizerInfo(tokens, type, false, tokens.length, storiesEnd);
      const compiler = await GrammarCompiler.createGrammarCompiler(info);
      const schema = {
        type: 'object',
        properties: {
          name: { type: 'string', maxLength: 12 },
          age: { type: 'integer', minimum: 0, maximum: 120 },
          pet: { enum: ['cat', 'dog'] },
          likes: { type: 'array', items: { type: 'string', maxLength: 8 }, minItems: 1, maxItems: 2 },
        },
        required: ['name', 'age', 'pet', 'likes'],
        additionalProperties: false,
      };
      const matcher = await Matcher.createGrammarMatcher(
        await compiler.compileJSONSchema(JSON.stringify(schema), false, -1),
      );
      const session = await Session.load(modelFile('stories260k-kv'), options);
      const writer = textModel(session, { tokenizer: new Tokenizer(file, storiesConfig), eos: storiesEnd });
      const processors = [withinGrammar(matcher)];
      const texts: string[] = [];
      for (const more of [
        {},
        { temperature: 1, seed: 1 },
        { temperature: 1.5, seed: 2 },
        { beams: 3 },
        { lookup: 4 },
      ]) {
        const { text, ending } = await writer.generate('Once upon a time there was', {
          maxTokens: 150,
          processors,
          ...more,
        });
        expect(ending).toBe('token');
        const made = JSON.parse(text);
        expect(Object.keys(made)).toEqual(['name', 'age', 'pet', 'likes']);
        expect([typeof made.name, Number.isInteger(made.age), made.age >= 0 && made.age <= 120]).toEqual([
          'string',
          true,
          true,
        ]);
        expect(made.name.length).toBeLessThanOrEqual(12);
        expect(['cat', 'dog']).toContain(made.pet);
        expect([1, 2]).toContain(made.likes.length);
        texts.push(text);
      }
      expect(texts[4]).toBe(texts[0]);
      expect(new Set(texts).size).toBeGreaterThan(2);
      matcher.dispose();
      await session.release();
    },
  );
});
