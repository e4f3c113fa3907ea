// A chat with a small trained model in a page: through neuromancer/generate, and through transformers.js as it is
// published, which gives the same words.
import { expect } from 'vitest';
import { storiesEnd, storiesFiles, withoutStories } from '../stories.ts';
import { browsers, type Driver } from './drivers.ts';
import { inEachBrowser } from './in-each-browser.ts';
import { pageWithImports, servePackage } from './package-server.ts';

const page = pageWithImports({ 'onnxruntime-common': '/node_modules/onnxruntime-common/dist/esm/index.js' });
let model: ReturnType<typeof storiesFiles> | undefined;
const port = servePackage((path) => {
  if (path === '/chat.html') return page;
  const [, file] = /^\/models\/stories\/(.*)$/.exec(path) ?? [];
  if (file === undefined) return undefined;
  model ??= storiesFiles();
  const content = model.get(file);
  return typeof content === 'string' ? content : content && Buffer.from(content);
});

/** Two turns: a story that is begun, and a sentence with which it goes on. */
const turns = ['Once upon a time, there was a', ' One day, the sun'];
const counts = [60, 40];

/** A chat by `answer(messages, count)`; what was answered. */
const chat = `async (answer) => {
  const messages = [];
  for (const [i, content] of ${JSON.stringify(turns)}.entries()) {
    messages.push({ role: 'user', content });
    messages.push({ role: 'assistant', content: await answer(messages, ${JSON.stringify(counts)}[i]) });
  }
  return messages.filter(({ role }) => role === 'assistant').map(({ content }) => content);
}`;

const ours = `(async () => {
  const { Session } = await import('/index.js');
  const { textModel } = await import('/generate.js');
  const { Tokenizer } = await import('/node_modules/@huggingface/tokenizers/dist/tokenizers.min.mjs');
  const { Template } = await import('/node_modules/@huggingface/jinja/dist/index.js');
  const json = async (name) => (await fetch('/models/stories/' + name)).json();
  const [tokens, config] = [await json('tokenizer.json'), await json('tokenizer_config.json')];
  const session = await Session.load('/models/stories/onnx/model.onnx');
  const tokenizer = new Tokenizer(tokens, config);
  const template = new Template(config.chat_template);
  const writer = textModel(session, { tokenizer, template, eos: ${JSON.stringify(storiesEnd)} });
  const answers = await (${chat})(async (messages, maxTokens) => (await writer.chat(messages, { maxTokens })).text);
  await session.release();
  return answers;
})()`;

const theirs = `(async () => {
  await import('/transformers.js');
  const { env, pipeline } = await import('/node_modules/@huggingface/transformers/dist/transformers.min.js');
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/models/' });
  const write = await pipeline('text-generation', 'stories', { dtype: 'fp32', device: 'auto' });
  const answers = await (${chat})(async (messages, max_new_tokens) => {
    const [{ generated_text }] = await write(messages, { max_new_tokens, do_sample: false });
    return generated_text.at(-1).content;
  });
  await write.dispose();
  return answers;
})()`;

async function chatsTheSame(driver: Driver): Promise<void> {
  await driver.open(`http://localhost:${port()}/chat.html`);
  const answers = await driver.evaluate<string[]>(ours);
  expect(await driver.evaluate(theirs)).toEqual(answers);
  const [story = '', more = ''] = answers;
  console.log([turns[0], story, turns[1], more].join('·'));
  expect(story).toContain('little girl named Lily');
  expect(story.split(' ').length).toBeGreaterThan(30);
  expect(more.split(' ').length).toBeGreaterThan(15);
}

inEachBrowser(browsers, 'a chat is the same through transformers.js', chatsTheSame, withoutStories);
