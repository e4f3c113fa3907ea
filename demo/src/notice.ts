import { NeuromancerError } from 'neuromancer';
import { h, svg } from './dom.ts';
import * as format from './format.ts';
import { icons } from './icons.ts';

/** The one place on a page that says what is going on: progress, an error, or nothing. */
export class Notice {
  readonly element = h('div', { class: 'notice', role: 'status', 'aria-live': 'polite' });

  clear(): void {
    this.element.replaceChildren();
  }

  /** A bar that fills as `loaded` approaches `total`, or moves when the total is not known; with `stop`, a button. */
  progress(title: string, loaded?: number, total?: number, stop?: () => void): void {
    const amount = loaded === undefined ? '' : format.bytes(loaded) + (total ? ` of ${format.bytes(total)}` : '');
    const share = loaded !== undefined && total ? { value: loaded / total } : {};
    this.element.replaceChildren(
      h(
        'div',
        { class: 'notice-progress' },
        h('span', {}, title),
        h('span', { class: 'number' }, amount),
        h('progress', { 'aria-label': title, max: 1, ...share }),
        stop !== undefined && h('button', { type: 'button', onclick: stop }, 'Stop'),
      ),
    );
  }

  error(title: string, error: unknown): void {
    const sentence = error instanceof Error ? error.message : String(error);
    const facts = error instanceof NeuromancerError ? placeOf(error) : [];
    this.element.replaceChildren(
      h(
        'div',
        { class: 'notice-error', role: 'alert' },
        svg(icons.alert),
        h(
          'div',
          {},
          h('strong', {}, title),
          h('p', {}, sentence),
          facts.length > 0 && h('dl', {}, ...facts.flatMap(([name, text]) => [h('dt', {}, name), h('dd', {}, text)])),
        ),
      ),
    );
  }
}

function placeOf({ operator, node, input, expected, actual }: NeuromancerError): [string, string][] {
  const facts = { operator, node, input, expected, actual };
  return Object.entries(facts).filter((fact): fact is [string, string] => fact[1] !== undefined);
}
