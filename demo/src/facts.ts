import { h } from './dom.ts';

/** A row of named figures that are updated in place. */
export class Facts {
  readonly element: HTMLElement;
  readonly #values: ReadonlyMap<string, HTMLElement>;

  constructor(names: readonly string[]) {
    this.#values = new Map(names.map((name) => [name, h('dd', { class: 'number' }, '–')]));
    this.element = h(
      'dl',
      { class: 'facts' },
      ...[...this.#values].map(([name, value]) => h('div', {}, h('dt', {}, name), value)),
    );
  }

  set(name: string, value: string): void {
    const element = this.#values.get(name);
    if (element !== undefined) element.textContent = value;
  }
}
