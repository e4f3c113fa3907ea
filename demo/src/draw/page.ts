import { type Session, Tensor } from 'neuromancer';
import { handwriting } from '../catalogue.ts';
import { h, segmented, svg } from '../dom.ts';
import { Facts } from '../facts.ts';
import * as format from '../format.ts';
import { icons } from '../icons.ts';
import { Notice } from '../notice.ts';
import type { Page } from '../page.ts';
import { describeEngine, openSession } from '../sessions.ts';
import { Bars } from './bars.ts';
import { isDot, render, size } from './ink.ts';
import { Pad } from './pad.ts';

type Alphabet = 'digits' | 'letters' | 'both';

const alphabets = [
  { value: 'digits', text: 'Digits' },
  { value: 'letters', text: 'Letters' },
  { value: 'both', text: 'Both' },
] as const;

const ranges: Record<Alphabet, [number, number]> = { digits: [0, 10], letters: [10, 36], both: [0, 36] };

/** With a lower share for the best answer there is none. */
const sureShare = 0.5;

export function drawPage(): Page {
  return new DrawPage();
}

class DrawPage implements Page {
  readonly element: HTMLElement;
  readonly #notice = new Notice();
  readonly #facts = new Facts(['Latency', 'Model', 'Ready in', 'Engine']);
  readonly #bars = new Bars();
  readonly #pad = new Pad(() => this.#recognise());
  readonly #guess = h('output', { class: 'guess', 'aria-live': 'polite' });
  readonly #certainty = h('p', { class: 'certainty' });
  readonly #leaving = new AbortController();
  #alphabet: Alphabet = 'digits';
  #session: Session | undefined;
  #probabilities: Float32Array | undefined;
  #running = false;
  #stale = false;

  constructor() {
    this.#bars.labels(this.#labels);
    this.element = h(
      'section',
      { class: 'draw', 'aria-labelledby': 'draw-title' },
      h(
        'div',
        { class: 'intro' },
        h('h1', { id: 'draw-title' }, 'Draw something.'),
        h(
          'p',
          {},
          'A neural network reads it as you draw: on your own processor, in this page. Nothing is uploaded, and there is no server behind it.',
        ),
      ),
      h(
        'div',
        { class: 'draw-pad' },
        this.#pad.element,
        h(
          'div',
          { class: 'toolbar' },
          segmented('What to recognise', alphabets, this.#alphabet, (alphabet) => this.#choose(alphabet)),
          h('span', { class: 'spacer' }),
          h('button', { type: 'button', onclick: () => this.#pad.undo() }, svg(icons.undo), 'Undo'),
          h('button', { type: 'button', onclick: () => this.#pad.clear() }, svg(icons.clear), 'Clear'),
        ),
      ),
      h(
        'div',
        { class: 'card draw-result' },
        h('div', { class: 'verdict' }, this.#guess, this.#certainty),
        this.#bars.element,
        this.#notice.element,
        this.#facts.element,
      ),
    );
    this.#show();
    void this.#load();
  }

  leave(): void {
    this.#leaving.abort();
    void this.#session?.release();
  }

  get #labels(): string[] {
    return handwriting.labels.slice(...ranges[this.#alphabet]);
  }

  async #load(): Promise<void> {
    const start = performance.now();
    try {
      this.#session = await openSession('the handwriting model', handwriting.url, this.#notice, this.#leaving.signal);
      this.#facts.set('Ready in', format.milliseconds(performance.now() - start));
      this.#facts.set('Model', format.bytes(handwriting.model.bytes));
      this.#facts.set('Engine', describeEngine(this.#session.engine));
      this.element.dataset.ready = 'true';
      this.#recognise();
    } catch (error) {
      if (!this.#leaving.signal.aborted) this.#notice.error('The model could not be loaded', error);
    }
  }

  /** Recognises the latest drawing; what is drawn during a run is recognised right after it. */
  async #recognise(): Promise<void> {
    this.#stale = true;
    if (this.#running || this.#session === undefined) return;
    this.#running = true;
    while (this.#stale) {
      this.#stale = false;
      await this.#run(this.#session);
    }
    this.#running = false;
  }

  async #run(session: Session): Promise<void> {
    if (this.#pad.strokes.length === 0) {
      this.#probabilities = undefined;
      this.#show();
      return;
    }
    try {
      const image = new Tensor('float32', render(this.#pad.strokes), [1, 1, size, size]);
      const start = performance.now();
      const { probabilities } = await session.run({ image });
      this.#facts.set('Latency', format.milliseconds(performance.now() - start));
      this.#probabilities = probabilities?.toFloat32();
      this.#show();
    } catch (error) {
      if (!this.#leaving.signal.aborted) this.#notice.error('The drawing could not be recognised', error);
    }
  }

  #choose(alphabet: Alphabet): void {
    this.#alphabet = alphabet;
    this.#bars.labels(this.#labels);
    this.#show();
  }

  #show(): void {
    const labels = this.#labels;
    this.#guess.classList.toggle('unknown', this.#probabilities === undefined);
    if (this.#probabilities === undefined) {
      this.#guess.textContent = '?';
      this.#certainty.textContent = 'Draw a digit or a letter on the pad.';
      this.#bars.show(new Float32Array(labels.length), -1);
      return;
    }
    // The probabilities given that the answer is in the chosen alphabet.
    const part = this.#probabilities.slice(...ranges[this.#alphabet]);
    const sum = part.reduce((total, value) => total + value, 0);
    const shares = part.map((value) => value / sum);
    const best = shares.indexOf(Math.max(...shares));
    const unsure = isDot(this.#pad.strokes) || (shares[best] ?? 0) < sureShare;
    this.#guess.classList.toggle('unknown', unsure);
    this.#guess.textContent = unsure ? '?' : (labels[best] ?? '');
    this.#certainty.textContent = isDot(this.#pad.strokes)
      ? 'A dot could be anything: draw on.'
      : unsure
        ? `Unsure: perhaps ${labels[best] ?? ''}, ${format.percent(shares[best] ?? 0)}.`
        : `${format.percent(shares[best] ?? 0)} sure`;
    this.#bars.show(shares, unsure ? -1 : best);
  }
}
