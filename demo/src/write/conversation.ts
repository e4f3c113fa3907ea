import type { Message } from 'neuromancer/generate';
import { h } from '../dom.ts';

/** What was said so far, as messages one below the other. */
export class Conversation {
  readonly element = h('ol', { class: 'conversation', 'aria-live': 'polite', 'aria-label': 'Conversation' });
  readonly #messages: { role: 'user' | 'assistant'; content: string }[] = [];
  #last: HTMLElement | undefined;

  get messages(): readonly Message[] {
    return this.#messages;
  }

  say(role: 'user' | 'assistant', content: string): void {
    this.#messages.push({ role, content });
    this.#last = h('p', {}, content);
    this.element.append(h('li', { class: role }, h('span', { class: 'sr-only' }, `${role}:`), this.#last));
    this.#last.scrollIntoView({ block: 'nearest' });
  }

  /** More of the last message. */
  goOn(text: string): void {
    const message = this.#messages.at(-1);
    if (message === undefined || this.#last === undefined) return;
    message.content += text;
    this.#last.append(text);
    this.#last.scrollIntoView({ block: 'nearest' });
  }

  clear(): void {
    this.#messages.length = 0;
    this.element.replaceChildren();
  }
}
