// A conversation with the tokenizer and the template engine that we name as peers.
import { Template } from '@huggingface/jinja';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, test } from 'vitest';
import { textModel } from '../dist/generate.js';
import { Session } from '../dist/index.js';
import { built } from './places.js';
import { decoderOnly, nextWord, words } from './toy-decoders.js';
import { letters, special, tokenizerConfig, tokenizerFile } from './toy-tokenizer.js';

const tokenizer = new Tokenizer(tokenizerFile, tokenizerConfig);
const template = new Template(tokenizerConfig.chat_template);
const [begin, end, user, assistant] = [18, 19, 20, 21];

describe.skipIf(!built('wasm'))('with @huggingface/tokenizers and @huggingface/jinja', () => {
  const eos = end as number;
  /** What the model answers: up to the stop token, or twelve tokens. */
  function answer(prompt: readonly number[]): number[] {
    const ids = [...prompt];
    while (ids.length < prompt.length + 12) {
      const id = nextWord(ids);
      if (id === eos) break;
      ids.push(id);
    }
    return ids.slice(prompt.length);
  }
  const textOf = (ids: readonly number[]) => ids.map((id) => letters[id] ?? '').join('');

  test('a prompt gets the tokens of its beginning, a conversation only those of its template', async () => {
    expect(words).toBe(letters.length + special.length);
    const session = await Session.load(decoderOnly, { artefact: 'wasm', threads: 1 });
    const writer = textModel(session, { tokenizer, template, eos });
    const options = { maxTokens: 12 };
    const plain = await writer.generate('abba', options);
    expect(plain.ids).toEqual(answer([begin as number, 0, 1, 1, 0]));
    expect(plain.text).toBe(textOf(plain.ids));

    const messages = [{ role: 'user', content: 'cab' }];
    const opening = [begin, user, 2, 0, 1, end, assistant] as number[];
    expect(writer.chatPrompt(messages)).toEqual(opening);
    const first = await writer.chat(messages, options);
    expect(first.ids).toEqual(answer(opening));
    expect(first.text).toBe(textOf(first.ids));

    // The conversation goes on: as far as the text is the same, it is in the cache.
    const more = [...messages, { role: 'assistant', content: first.text }, { role: 'user', content: 'dad' }];
    const longer = writer.chatPrompt(more);
    expect(longer.slice(0, opening.length)).toEqual(opening);
    expect(writer.cached).toBeGreaterThanOrEqual(opening.length);
    expect((await writer.chat(more, options)).ids).toEqual(answer(longer));
    await session.release();
  });
});
