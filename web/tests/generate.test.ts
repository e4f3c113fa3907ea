// Text from models: in every form that exporters give them, and the same whichever way it is made.
import { Tokenizer } from '@huggingface/tokenizers';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { modelFile, whyWithout } from '../../models/folder.js';
import { storiesConfig, storiesEnd, storiesTokenizer, withoutStories } from '../../tests/stories.js';
import { type GenerateOptions, type Piece, seeded, textModel } from '../dist/generate.js';
import { NeuromancerError, Session, Tensor } from '../dist/index.js';
import type { Session as SourceSession } from '../src/api/session.js';
import type { ValueLike } from '../src/values/values.js';
import { modelOf } from './onnx-writer.js';
import { built, places } from './places.js';
import {
  decoderOnly,
  encoder,
  forgetful,
  merged,
  nextLogits,
  nextOfSource,
  nextWord,
  uncached,
  withLengths,
} from './toy-decoders.js';

/** What the toy decoders write. */
function written(
  prompt: readonly number[],
  count: number,
  next: (ids: readonly number[]) => number = nextWord,
): number[] {
  const ids = [...prompt];
  while (ids.length < prompt.length + count) ids.push(next(ids));
  return ids.slice(prompt.length);
}

/** Tokens are letters. */
const letters = {
  encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0) - 97),
  decode: (ids: number[]) => String.fromCharCode(...ids.map((id) => id + 97)),
};

const sessions: Session[] = [];
async function open(model: Uint8Array | URL, options: object = { artefact: 'wasm', threads: 1 }): Promise<Session> {
  const session = await Session.load(model, options);
  sessions.push(session);
  return session;
}
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.release()));
});

/** All runs of a session, those of its streams too; `told` hears of each before it begins. */
function spyOnRuns(session: Session, told: (feeds: Readonly<Record<string, ValueLike>>) => void = () => {}) {
  // Declarations leave it out.
  const inner = session as unknown as Pick<SourceSession, 'runFrom'>;
  const run = inner.runFrom.bind(session);
  return vi.spyOn(inner, 'runFrom').mockImplementation((feeds, ...more) => {
    told(feeds);
    return run(feeds, ...more);
  });
}

describe.each(places)('$name', ({ options }) => {
  const skip = !built(options.artefact);
  test.skipIf(skip)('forms of decoders', async () => {
    const prompt = [5, 1, 2, 8, 3];
    for (const [model, chunk] of [
      [decoderOnly, 64],
      [decoderOnly, 2],
      [decoderOnly, 1],
      [uncached, 2],
      [withLengths, 64],
      [withLengths, 2],
    ] as const) {
      const writer = textModel(await open(model, options), { chunk });
      const { ids, text, ending } = await writer.generate(prompt, { maxTokens: 9 });
      expect(ids).toEqual(written(prompt, 9));
      expect([text, ending]).toEqual(['', 'length']);
      writer.dispose();
    }
  });

  test.skipIf(skip)('a decoder behind an encoder', async () => {
    const both = { encoder: await open(encoder, options), decoder: await open(merged, options) };
    const writer = textModel(both, { start: [4], chunk: 1 });
    for (const source of [[3, 7, 1], [2]]) {
      const { ids } = await writer.generate(source, { maxTokens: 8 });
      expect(ids).toEqual(written([4], 8, (all) => nextOfSource(source, all)));
    }
    const feeds = {
      input_ids: new Tensor('int64', [9, 9], [1, 2]),
      attention_mask: new Tensor('int64', [1, 1], [1, 2]),
    };
    const { ids } = await writer.generate(feeds, { maxTokens: 3 });
    expect(ids).toEqual(written([4], 3, (all) => nextOfSource([9, 9], all)));
    await expect(textModel(both).generate([1])).rejects.toMatchObject({ message: expect.stringContaining('"start"') });
  });

  test.skipIf(skip)('a signal ends a text within one token, and the next one is right', async () => {
    const writer = textModel(await open(decoderOnly, options));
    const controller = new AbortController();
    const pieces: Piece[] = [];
    const run = (async () => {
      for await (const piece of writer.stream([5, 1], { maxTokens: 1000, signal: controller.signal })) {
        pieces.push(piece);
        if (pieces.length === 4) controller.abort('enough');
      }
    })();
    await expect(run).rejects.toMatchObject({ code: 'cancelled', name: 'AbortError', cause: 'enough' });
    expect(pieces.map(({ id }) => id)).toEqual(written([5, 1], 4));
    expect((await writer.generate([5, 1, 7], { maxTokens: 3 })).ids).toEqual(written([5, 1, 7], 3));
    await expect(writer.generate([5], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  test.skipIf(skip)(
    'a prompt that is cancelled between its pieces leaves the cache as it was, in size too',
    async () => {
      const session = await open(decoderOnly, options);
      const writer = textModel(session, { chunk: 8 });
      await writer.generate([5, 1], { maxTokens: 3 });
      const { cached } = writer;
      let runs = 0;
      const controller = new AbortController();
      spyOnRuns(session, () => {
        runs += 1;
        if (runs === 5) controller.abort();
      });
      const prompt = [5, 1, ...written([5, 1], 3), ...Array(20_000).fill(1)];
      await expect(writer.generate(prompt, { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
      expect(runs).toBe(5);
      expect(writer.cached).toBe(cached);
      expect((await writer.generate([5, 1], { maxTokens: 3 })).ids).toEqual(written([5, 1], 3));
    },
  );
});

describe.skipIf(!built('wasm'))('generating', () => {
  const prompt = [5, 1, 2];
  const toy = async (more: object = {}) => textModel(await open(decoderOnly), more);

  test('ends at a stop token, which is not in the text, but not too early', async () => {
    const after = written(prompt, 12);
    const eos = after[4] as number;
    const first = after.indexOf(eos);
    const writer = await toy({ eos });
    expect(await writer.generate(prompt)).toEqual({ ids: after.slice(0, first), text: '', ending: 'token' });
    const long = await writer.generate(prompt, { minTokens: 8, maxTokens: 12 });
    expect(long.ids.length).toBeGreaterThanOrEqual(8);
    expect(long.ids.slice(0, 8)).not.toContain(eos);
    const other = await toy();
    const ended = await other.generate(prompt, { stopTokens: [after[2] as number] });
    expect(ended.ids).toEqual(after.slice(0, after.indexOf(after[2] as number)));
    expect((await other.generate(prompt, { maxTokens: 0 })).ids).toEqual([]);
  });

  test('gives text as it comes, and ends it before a stop text', async () => {
    const writer = await toy({ tokenizer: letters });
    const after = written(letters.encode('fbc'), 10);
    const text = letters.decode(after);
    const pieces: Piece[] = [];
    for await (const piece of writer.stream('fbc', { maxTokens: 10 })) pieces.push(piece);
    expect(pieces.map(({ id }) => id)).toEqual(after);
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
    const stop = text.slice(5, 7);
    expect(await writer.generate('fbc', { maxTokens: 10, stop })).toMatchObject({
      text: text.slice(0, text.indexOf(stop)),
      ending: 'text',
    });
    // What is held back for a stop text that does not come is given in the end.
    const held = await writer.generate('fbc', { maxTokens: 10, stop: [`${text.slice(8)}!`, ''] });
    expect(held).toMatchObject({ text, ending: 'length' });
  });

  test('a seed draws the same again, another one something else, and a processor has the last word', async () => {
    const writer = await toy();
    const options = { temperature: 40, maxTokens: 12 };
    const one = await writer.generate(prompt, { ...options, seed: 1 });
    expect((await writer.generate(prompt, { ...options, seed: 1 })).ids).toEqual(one.ids);
    expect((await writer.generate(prompt, { ...options, seed: 2 })).ids).not.toEqual(one.ids);
    // The same by hand.
    const random = seeded(1);
    const ids = [...prompt];
    while (ids.length < prompt.length + 12) {
      const weights = nextLogits(ids).map((logit) => Math.exp(logit / 40));
      const at = random() * weights.reduce((sum, weight) => sum + weight);
      ids.push(weights.findIndex((_, id) => weights.slice(0, id + 1).reduce((sum, weight) => sum + weight) > at));
    }
    expect(one.ids).toEqual(ids.slice(prompt.length));
    const seen: number[][] = [];
    const only7 = await writer.generate(prompt, {
      maxTokens: 2,
      processors: [
        (logits, context) => {
          seen.push([...context.ids], [context.promptLength]);
          logits.fill(Number.NEGATIVE_INFINITY, 0, 7).fill(Number.NEGATIVE_INFINITY, 8);
        },
      ],
    });
    expect(only7.ids).toEqual([7, 7]);
    expect(seen).toEqual([prompt, [3], [...prompt, 7], [3]]);
  });

  test('a conversation that grows is not read again, and one that turns back is cut', async () => {
    const session = await open(decoderOnly);
    const writer = textModel(session);
    const sizes: number[] = [];
    spyOnRuns(session, ({ input_ids }) => {
      sizes.push((input_ids as Tensor).shape[1] as number);
    });
    const first = await writer.generate(prompt, { maxTokens: 4 });
    const grown = [...prompt, ...first.ids, 9, 9];
    expect((await writer.generate(grown, { maxTokens: 2 })).ids).toEqual(written(grown, 2));
    // The prompt, three tokens; the fourth and the two that are new; one.
    expect(sizes).toEqual([3, 1, 1, 1, 3, 1]);
    sizes.length = 0;
    const turned = [...prompt, 0];
    expect((await writer.generate(turned, { maxTokens: 1 })).ids).toEqual(written(turned, 1));
    expect(sizes).toEqual([1]);
    sizes.length = 0;
    expect((await writer.generate(turned, { maxTokens: 1, fresh: true })).ids).toEqual(written(turned, 1));
    expect(sizes).toEqual([4]);
    await writer.reset();
    expect(writer.cached).toBe(0);
  });

  test.each([{}, { temperature: 30, seed: 3 }, { repetitionPenalty: 1.5 }])(
    'looking up what comes next changes no token: %o',
    async (options: GenerateOptions) => {
      const session = await open(decoderOnly);
      const run = spyOnRuns(session);
      const repeats = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2];
      const plain = await textModel(session).generate(repeats, { maxTokens: 60, ...options });
      const runs = run.mock.calls.length;
      for (const lookup of [1, 4]) {
        run.mockClear();
        const guessed = await textModel(session).generate(repeats, { maxTokens: 60, lookup, ...options });
        expect(guessed).toEqual(plain);
        expect(run.mock.calls.length).toBeLessThanOrEqual(runs);
      }
    },
  );

  test.each([{}, { temperature: 30, seed: 3 }, { repetitionPenalty: 1.5 }, { lookup: 3 }, { draft: 1 }])(
    'a draft changes no token: %o',
    async (options: GenerateOptions) => {
      const session = await open(decoderOnly);
      const prompt = [5, 1, 2, 8, 3];
      const plain = await textModel(session).generate(prompt, { maxTokens: 40, ...options, lookup: 0 });
      // The same model guesses right; one that sees no more than the last token mostly does not.
      for (const other of [decoderOnly, uncached, forgetful]) {
        const writer = textModel(session, { draft: textModel(await open(other)) });
        expect(await writer.generate(prompt, { maxTokens: 40, ...options })).toEqual(plain);
        // Again, and behind another prompt.
        expect(await writer.generate(prompt, { maxTokens: 40, ...options })).toEqual(plain);
        const others = [7, 7, 1];
        const fresh = await textModel(session).generate(others, { maxTokens: 9, ...options, lookup: 0 });
        expect(await writer.generate(others, { maxTokens: 9, ...options })).toEqual(fresh);
        writer.dispose();
      }
    },
  );

  test('with a draft that is right the model runs once for five tokens', async () => {
    const session = await open(decoderOnly);
    const run = spyOnRuns(session);
    const writer = textModel(session, { draft: textModel(await open(decoderOnly)) });
    const prompt = [5, 1, 2, 8, 3];
    expect((await writer.generate(prompt, { maxTokens: 41 })).ids).toEqual(written(prompt, 41));
    expect(run.mock.calls.length).toBeLessThanOrEqual(10); // the prompt, eight times five tokens, what is left
    run.mockClear();
    expect((await writer.generate(prompt, { maxTokens: 41, draft: 0, fresh: true })).ids).toEqual(written(prompt, 41));
    expect(run.mock.calls.length).toBe(41);
  });

  test('a draft is a text model without an encoder, and is told so', async () => {
    const [session, other] = [await open(decoderOnly), await open(encoder)];
    const refused = (make: () => unknown) => expect(make).toThrow(NeuromancerError);
    refused(() => textModel(session, { draft: session as never }));
    refused(() => textModel({ encoder: other, decoder: session }, { draft: textModel(session) }));
  });

  test('a text that repeats itself comes in fewer runs', async () => {
    const session = await open(decoderOnly);
    const run = spyOnRuns(session);
    const only = (logits: Float32Array, { ids }: { ids: readonly number[] }) => {
      const next = ((ids.at(-1) as number) + 1) % 5;
      logits.fill(Number.NEGATIVE_INFINITY);
      logits[next] = 0;
    };
    const { ids } = await textModel(session).generate([0, 1, 2, 3, 4, 0], {
      maxTokens: 40,
      lookup: 4,
      processors: [only],
    });
    expect(ids).toEqual(Array.from({ length: 40 }, (_, i) => (i + 1) % 5));
    expect(run.mock.calls.length).toBe(8);
  });

  test('beams find the likeliest text of all, where there are enough of them', async () => {
    const session = await open(decoderOnly);
    const writer = textModel(session);
    // Logits so flat that the likeliest first token need not begin the likeliest text.
    const flat = [(logits: Float32Array) => void logits.set(logits.map((logit, id) => (id < 4 ? logit / 100 : -1e9)))];
    const length = 3;
    const logs = (ids: readonly number[]) => {
      const logits = nextLogits(ids)
        .slice(0, 4)
        .map((logit) => logit / 100);
      const sum = Math.log(logits.reduce((all, logit) => all + Math.exp(logit), 0));
      return logits.map((logit) => logit - sum);
    };
    let best = { ids: [] as number[], score: Number.NEGATIVE_INFINITY };
    const all = (ids: number[], score: number): void => {
      if (ids.length === length) {
        if (score > best.score) best = { ids, score };
        return;
      }
      for (const [id, log] of logs([...prompt, ...ids]).entries()) all([...ids, id], score + log);
    };
    all([], 0);
    const found = await writer.generate(prompt, { beams: 16, maxTokens: length, processors: flat });
    expect(found).toEqual({ ids: best.ids, text: '', ending: 'length' });
    const heap = async () => (await session.memory()).heap;
    const before = await heap();
    for (let i = 0; i < 5; i++) await writer.generate(prompt, { beams: 16, maxTokens: 6, processors: flat });
    expect((await heap()) - before).toBeLessThan(20_000);
    // One beam is what is likeliest at each step.
    expect((await writer.generate(prompt, { beams: 2, maxTokens: 5 })).ids).toEqual(written(prompt, 5));
  });

  test('a beam that ends is measured by its length', async () => {
    // Token 0 ends. At each step it has the probability 0.4, and 1 has 0.6: 0.4, 0.6 × 0.4, 0.6² × 0.4, …
    const coin = (logits: Float32Array) => {
      logits.fill(Number.NEGATIVE_INFINITY);
      logits[0] = Math.log(0.4);
      logits[1] = Math.log(0.6);
    };
    const writer = await toy({ eos: 0 });
    const ids = async (lengthPenalty: number) =>
      (await writer.generate(prompt, { beams: 3, maxTokens: 4, lengthPenalty, processors: [coin] })).ids;
    // Of the sums ln 0.4 = -0.92, ln 0.24 = -1.43, …, 4 ln 0.6 = -2.04 the first is the largest;
    expect(await ids(0)).toEqual([]);
    // by the token these are -0.92, -0.71, -0.65, -0.61, and -0.51 for the text that does not end.
    expect(await ids(1)).toEqual([1, 1, 1, 1]);
  });

  test('a conversation goes through the template', async () => {
    const contexts: unknown[] = [];
    const template = {
      render: (context: Record<string, unknown>) => {
        contexts.push(context);
        return (context.messages as { content: string }[]).map(({ content }) => content).join('');
      },
    };
    const writer = await toy({ tokenizer: letters, template });
    const messages = [
      { role: 'user', content: 'fb' },
      { role: 'user', content: 'c' },
    ];
    const { text } = await writer.chat(messages, { maxTokens: 3 });
    expect(text).toBe(letters.decode(written(letters.encode('fbc'), 3)));
    expect(contexts).toEqual([{ messages, add_generation_prompt: true }]);
    const without = await toy({ tokenizer: letters });
    expect(() => without.chatPrompt(messages)).toThrow('@huggingface/jinja');
  });

  test('what it cannot do is said, and leaves it usable', async () => {
    const writer = await toy({ maxLength: 6 });
    const refusals: [() => Promise<unknown>, object][] = [
      [() => writer.generate('text'), { message: expect.stringContaining('Text needs a tokenizer') }],
      [() => writer.generate([]), { message: 'The prompt has no tokens.' }],
      [() => writer.generate({}), { message: expect.stringContaining('A prompt is text or tokens') }],
      [() => writer.generate(prompt, { topK: 0 }), { message: expect.stringContaining('a whole number of 1 or more') }],
      [
        () => writer.generate(prompt, { topk: 3 } as never),
        { message: expect.stringContaining('Did you mean "topK"?') },
      ],
      [() => writer.generate(prompt, { stop: 'x' }), { message: expect.stringContaining('Text needs a tokenizer') }],
      [() => writer.generate(prompt, { beams: 2, topK: 3 }), { message: expect.stringContaining('Beam search') }],
      [() => writer.stream(prompt, { beams: 2 }).next(), { message: expect.stringContaining('call generate()') }],
    ];
    for (const [refused, error] of refusals) {
      await expect(refused()).rejects.toMatchObject({ code: 'invalid_argument', ...error });
    }
    await expect(writer.generate(prompt, { maxTokens: 9 })).rejects.toMatchObject({ code: 'limit_exceeded' });
    const none = Number.NEGATIVE_INFINITY;
    await expect(writer.generate(prompt, { processors: [(logits) => void logits.fill(none)] })).rejects.toMatchObject({
      code: 'invalid_data',
    });
    const thrown = writer.generate(prompt, {
      processors: [
        () => {
          throw new Error('my own');
        },
      ],
    });
    await expect(thrown).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('my own') });
    const [first, second] = [writer.generate(prompt, { maxTokens: 2 }), writer.generate(prompt)];
    await expect(second).rejects.toMatchObject({ message: expect.stringContaining('is writing a text') });
    expect((await first).ids).toEqual(written(prompt, 2));
    // Left in the middle, it is free again.
    for await (const _ of writer.stream(prompt)) break;
    expect((await writer.generate(prompt, { maxTokens: 1 })).ids).toEqual(written(prompt, 1));
  });

  test('a model that is none of the known forms is refused with what it has', async () => {
    const neg = { op: 'Neg', inputs: ['style'], outputs: ['logits'] };
    const strange = modelOf([neg], { input_ids: 'int64[1,n]', style: 'float32[1,2,3]' }, { logits: 'float32[1,2,3]' });
    const session = await open(strange);
    expect(() => textModel(session)).toThrow('has an input "style" that is none a text model is known to have');
    const style = new Tensor('float32', [0, 0, 0, 0, 0, -1], [1, 2, 3]);
    expect((await textModel(session, { feeds: { style } }).generate([1], { maxTokens: 1 })).ids).toEqual([2]);
    const image = modelOf([{ ...neg, inputs: ['x'] }], { x: 'float32[1]' }, { logits: 'float32[1]' });
    const other = await open(image);
    expect(() => textModel(other)).toThrow(NeuromancerError);
    expect(() => textModel(other, { feeds: { x: null } })).toThrow('no input for tokens');
  });
});

const why = withoutStories;
describe.skipIf(!built('wasm') || why !== '')(`a small model that tells stories${why}`, { timeout: 60_000 }, () => {
  const prompt = 'Once upon a time, there was a';
  let tokenizer: Tokenizer;
  beforeAll(() => {
    tokenizer = new Tokenizer(storiesTokenizer(), storiesConfig);
  });
  const eos = storiesEnd;

  /** What the model writes when it reads everything again for each token, and the likeliest is taken. */
  async function byHand(session: Session, count: number): Promise<number[]> {
    const ids = [...tokenizer.encode(prompt).ids];
    const begin = ids.length;
    const empty = Object.fromEntries(
      session.inputs.slice(1).map(({ name }) => [name, new Tensor('float32', [], [1, 4, 0, 8])]),
    );
    while (ids.length < begin + count) {
      const input_ids = new Tensor('int64', ids, [1, ids.length]);
      const { logits } = await session.run({ input_ids, ...empty }, { fetch: ['logits'] });
      const last = (logits as Tensor).toFloat32().slice(-512);
      ids.push(last.indexOf(Math.max(...last)));
    }
    return ids.slice(begin);
  }

  test('the same text with a cache and without', async () => {
    const session = await open(modelFile('stories260k-kv'));
    const expected = await byHand(session, 60);
    const { ids } = tokenizer.encode(prompt);
    const text = tokenizer.decode([...ids, ...expected]).slice(tokenizer.decode(ids).length);
    for (const more of [{}, { chunk: 3 }, { state: { 'past_*': 'present_*' } }, { cache: 'float16' as const }]) {
      const writer = textModel(session, { tokenizer, eos, ...more });
      const generated = await writer.generate(prompt, { maxTokens: 60 });
      expect(generated).toEqual({ ids: expected, text, ending: 'length' });
      expect((await writer.generate(prompt, { maxTokens: 60, lookup: 5 })).ids).toEqual(expected);
    }
    expect(text).toMatch(/^ (little|big|small|girl|boy)/);
  });

  test('with 8-bit weights, whose activations are quantised by run: the same as with the cache in our own hands', async () => {
    const session = await open(modelFile('stories260k-int8'));
    let cache: Record<string, Tensor> = Object.fromEntries(
      session.inputs.slice(1).map(({ name }) => [name, new Tensor('float32', [], [1, 4, 0, 8])]),
    );
    let news = tokenizer.encode(prompt).ids;
    const expected: number[] = [];
    while (expected.length < 40) {
      const { logits, ...present } = await session.run({
        input_ids: new Tensor('int64', news, [1, news.length]),
        ...cache,
      });
      cache = Object.fromEntries(Object.entries(present).map(([name, v]) => [name.replace('present', 'past'), v]));
      const last = (logits as Tensor).toFloat32().slice(-512);
      news = [last.indexOf(Math.max(...last))];
      expected.push(...news);
    }
    const { ids } = await textModel(session, { tokenizer }).generate(prompt, { maxTokens: 40 });
    expect(ids).toEqual(expected);
  });

  test('tells a whole story in pieces', async () => {
    const writer = textModel(await open(modelFile('stories260k-kv')), { tokenizer, eos });
    let text = '';
    const pieces = writer.stream(prompt, { maxTokens: 400, stop: ['happy.'] });
    let step = await pieces.next();
    for (; !step.done; step = await pieces.next()) text += step.value.text;
    expect(['text', 'token']).toContain(step.value);
    expect(text.split(' ').length).toBeGreaterThan(30);
    expect(text).not.toContain('happy.');
  });

  test('beams are likelier than what is likeliest at each step', async () => {
    const session = await open(modelFile('stories260k-kv'));
    const writer = textModel(session, { tokenizer });
    const start = tokenizer.encode(prompt).ids;
    const greedy = await writer.generate(prompt, { maxTokens: 12 });
    const beams = await writer.generate(prompt, { maxTokens: 12, beams: 4 });
    const score = async (ids: readonly number[]) => {
      let sum = 0;
      const all = [...start, ...ids];
      const check = (logits: Float32Array, context: { ids: readonly number[] }) => {
        const id = all[context.ids.length] as number;
        const most = Math.max(...logits);
        sum +=
          (logits[id] as number) - most - Math.log(logits.reduce((total, logit) => total + Math.exp(logit - most), 0));
        logits.fill(Number.NEGATIVE_INFINITY);
        logits[id] = 0;
      };
      await textModel(session).generate(start, { maxTokens: ids.length, processors: [check] });
      return sum;
    };
    expect(await score(beams.ids)).toBeGreaterThanOrEqual(await score(greedy.ids));
    expect(beams.ids.length).toBe(12);
  });
});

const gpt = whyWithout('tiny-random-gpt2-contrib');
test.skipIf(!built('wasm') || gpt !== '')(`GPT-2 with 32-bit tokens, mask and places${gpt}`, async () => {
  const session = await open(modelFile('tiny-random-gpt2-contrib'));
  const ids = [17, 400, 3, 999];
  const all = [...ids];
  for (let i = 0; i < 10; i++) {
    const n = all.length;
    const feeds: Record<string, Tensor> = {
      input_ids: new Tensor('int32', all, [1, n]),
      position_ids: new Tensor(
        'int32',
        Array.from({ length: n }, (_, place) => place),
        [1, n],
      ),
      attention_mask: new Tensor('int32', Array(n).fill(1), [1, n]),
    };
    for (let layer = 0; layer < 5; layer++) feeds[`past_${layer}`] = new Tensor('float32', [], [2, 1, 4, 0, 8]);
    const { logits } = await session.run(feeds, { fetch: ['logits'] });
    const last = (logits as Tensor).toFloat32().slice(-1000);
    all.push(last.indexOf(Math.max(...last)));
  }
  expect((await textModel(session).generate(ids, { maxTokens: 10 })).ids).toEqual(all.slice(4));
});

const vespa = whyWithout('vespa-random-decoder');
test.skipIf(!built('wasm') || vespa !== '')(`a decoder without a cache behind an encoder${vespa}`, async () => {
  const decoder = await open(modelFile('vespa-random-decoder'));
  // Any encoder of 8 numbers a token.
  const features = ['Sin', 'Cos', 'Neg', 'Tanh', 'Sigmoid', 'Abs', 'Softplus', 'Identity'];
  const axes = { op: 'Constant', inputs: [], outputs: ['last'], attributes: { value_ints: [2] } };
  const session = await open(
    modelOf(
      [
        { op: 'Cast', inputs: ['input_ids'], outputs: ['x'], attributes: { to: 1 } },
        axes,
        { op: 'Unsqueeze', inputs: ['x', 'last'], outputs: ['x3'] },
        ...features.map((op) => ({ op, inputs: ['x3'], outputs: [op] })),
        { op: 'Concat', inputs: features, outputs: ['last_hidden_state'], attributes: { axis: 2 } },
      ],
      { input_ids: 'int64[batch,source]' },
      { last_hidden_state: 'float32[batch,source,8]' },
    ),
  );
  const source = [3, 1, 2];
  const { last_hidden_state: hidden } = await session.run({ input_ids: new Tensor('int64', source, [1, 3]) });
  const all = [1];
  for (let i = 0; i < 6; i++) {
    const { logits } = await decoder.run({
      input_ids: new Tensor('int64', all, [1, all.length]),
      encoder_hidden_states: hidden as Tensor,
      encoder_attention_mask: new Tensor('float32', [1, 1, 1], [1, 3]),
    });
    const last = (logits as Tensor).toFloat32().slice(-10_000);
    all.push(last.indexOf(Math.max(...last)));
  }
  const { ids } = await textModel({ encoder: session, decoder }, { start: [1] }).generate(source, { maxTokens: 6 });
  expect(ids).toEqual(all.slice(1));
});
