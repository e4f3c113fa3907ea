/** A child of an element: nothing, text, or another element. */
export type Child = Node | string | null | undefined | false;

type Listeners = { [Name in keyof HTMLElementEventMap as `on${Name}`]?: (event: HTMLElementEventMap[Name]) => void };
type Attributes = Record<string, string | number | boolean | null | undefined>;

/** Makes an element: attributes (true: present, false or null: absent), `onclick`-like listeners, and children. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Listeners | Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An icon of the set in icons.ts, decoration only. */
export function svg(path: string): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const icon = document.createElementNS(namespace, 'svg');
  icon.setAttribute('viewBox', '0 0 24 24');
  icon.setAttribute('aria-hidden', 'true');
  icon.classList.add('icon');
  const line = document.createElementNS(namespace, 'path');
  line.setAttribute('d', path);
  icon.append(line);
  return icon;
}

/** Exclusive choice shown as one row of buttons. */
export function segmented<Value extends string>(
  label: string,
  options: readonly { value: Value; text: string }[],
  chosen: Value,
  onChange: (value: Value) => void,
): HTMLElement {
  const name = label.toLowerCase().replace(/\W+/g, '-');
  return h(
    'fieldset',
    { class: 'segmented' },
    h('legend', { class: 'sr-only' }, label),
    ...options.map(({ value, text }) =>
      h(
        'label',
        {},
        h('input', { type: 'radio', name, value, checked: value === chosen, onchange: () => onChange(value) }),
        h('span', {}, text),
      ),
    ),
  );
}
