import { h } from '../dom.ts';
import { Facts } from '../facts.ts';
import { fileButton } from '../file-button.ts';
import * as format from '../format.ts';
import { Notice } from '../notice.ts';
import type { Page } from '../page.ts';
import { describeEngine } from '../sessions.ts';
import { Conversation } from './conversation.ts';
import {
  carriedFiles,
  chosenFiles,
  type LanguageModel,
  type LanguageModelFiles,
  openLanguageModel,
} from './language-model.ts';

const mostTokens = 400;

export function writePage(): Page {
  return new WritePage();
}

class WritePage implements Page {
  readonly element: HTMLElement;
  readonly #notice = new Notice();
  readonly #facts = new Facts(['First token', 'Tokens per second', 'In the cache', 'Engine']);
  readonly #conversation = new Conversation();
  readonly #leaving = new AbortController();
  readonly #text = h('textarea', {
    id: 'write-text',
    rows: 2,
    placeholder: 'Ask something',
    onkeydown: (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.#answer();
    },
  });
  readonly #send = h('button', { type: 'submit', class: 'primary' }, 'Send');
  readonly #stop = h('button', { type: 'button', onclick: () => this.#writing?.abort() }, 'Stop');
  readonly #again = h('button', { type: 'button', onclick: () => this.#conversation.clear() }, 'New conversation');
  #model: LanguageModel | undefined;
  #writing: AbortController | undefined;

  constructor() {
    this.element = h(
      'section',
      { class: 'write', 'aria-labelledby': 'write-title' },
      h(
        'div',
        { class: 'intro' },
        h('h1', { id: 'write-title' }, 'Talk to it.'),
        h(
          'p',
          {},
          'A small language model writes in this page, on your own processor. It is often wrong; what you say stays here.',
        ),
      ),
      this.#conversation.element,
      this.#notice.element,
      h(
        'form',
        {
          class: 'write-form',
          onsubmit: (event) => {
            event.preventDefault();
            void this.#answer();
          },
        },
        h('label', { for: 'write-text', class: 'sr-only' }, 'What to say'),
        this.#text,
        h(
          'div',
          { class: 'toolbar' },
          this.#send,
          this.#stop,
          this.#again,
          h('span', { class: 'spacer' }),
          fileButton('Open a model', '', (_, files) => void this.#load(() => chosenFiles(files)), true),
        ),
      ),
      this.#facts.element,
    );
    this.#show();
    if (import.meta.env.NM_LANGUAGE_MODEL) void this.#load(carriedFiles);
    else {
      this.#conversation.element.dataset.empty =
        'This site carries no language model. Open one: model.onnx, tokenizer.json and tokenizer_config.json together, as models/gguf in the repository writes them.';
    }
  }

  leave(): void {
    this.#leaving.abort();
    this.#close();
  }

  #close(): void {
    this.#writing?.abort();
    this.#model?.writer.dispose();
    void this.#model?.session.release();
    this.#model = undefined;
  }

  async #load(files: () => Promise<LanguageModelFiles>): Promise<void> {
    this.#close();
    this.#conversation.clear();
    this.#show();
    try {
      const model = await openLanguageModel(await files(), this.#notice, this.#leaving.signal);
      if (this.#leaving.signal.aborted) return void model.session.release();
      this.#model = model;
      this.#facts.set('Engine', describeEngine(model.session.engine));
      this.#conversation.element.dataset.empty = 'Say something.';
      this.element.dataset.ready = 'true';
    } catch (error) {
      if (!this.#leaving.signal.aborted) this.#notice.error('The model could not be opened', error);
    }
    this.#show();
  }

  async #answer(): Promise<void> {
    const question = this.#text.value.trim();
    const model = this.#model;
    if (question === '' || model === undefined || this.#writing !== undefined) return;
    const writing = new AbortController();
    this.#writing = writing;
    this.#text.value = '';
    this.#notice.clear();
    this.#conversation.say('user', question);
    const prompt = model.writer.chatPrompt(this.#conversation.messages);
    this.#conversation.say('assistant', '');
    this.#show();
    try {
      await this.#write(model, prompt, writing.signal);
    } catch (error) {
      if (!writing.signal.aborted) this.#notice.error('The answer broke off', error);
    }
    this.#writing = undefined;
    this.#show();
    if (!this.#leaving.signal.aborted) this.#text.focus();
  }

  async #write({ writer }: LanguageModel, prompt: readonly number[], signal: AbortSignal): Promise<void> {
    const start = performance.now();
    let [count, first] = [0, start];
    const options = { signal, maxTokens: mostTokens, temperature: 0.2, topP: 0.9 };
    for await (const { text } of writer.stream(prompt, options)) {
      const now = performance.now();
      if (count++ === 0) {
        first = now;
        this.#facts.set('First token', format.milliseconds(now - start));
      } else this.#facts.set('Tokens per second', format.decimal((1000 * (count - 1)) / (now - first)));
      this.#facts.set('In the cache', `${writer.cached} tokens`);
      this.#conversation.goOn(text);
    }
  }

  #show(): void {
    const busy = this.#writing !== undefined;
    this.#send.disabled = busy || this.#model === undefined;
    this.#stop.disabled = !busy;
    this.#again.disabled = busy;
    this.element.dataset.writing = String(busy);
  }
}
