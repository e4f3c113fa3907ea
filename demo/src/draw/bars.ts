import { h } from '../dom.ts';
import * as format from '../format.ts';

/** A column per class, in fixed places, that rises with its probability. */
export class Bars {
  readonly element = h('div', { class: 'bars', role: 'img', 'aria-label': 'Probabilities' });
  #columns: HTMLElement[] = [];

  labels(labels: readonly string[]): void {
    this.#columns = labels.map((label) =>
      h(
        'div',
        { class: 'bar' },
        h('div', { class: 'bar-track' }, h('div', { class: 'bar-fill' })),
        h('span', {}, label),
      ),
    );
    this.element.style.setProperty('--columns', String(labels.length));
    this.element.replaceChildren(...this.#columns);
  }

  /** Probabilities in the order of the labels; `best` is marked. */
  show(shares: ArrayLike<number>, best: number): void {
    this.#columns.forEach((column, i) => {
      column.style.setProperty('--share', String(shares[i] ?? 0));
      column.classList.toggle('best', i === best);
      column.title = format.percent(shares[i] ?? 0);
    });
  }
}
