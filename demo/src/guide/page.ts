import { h } from '../dom.ts';
import type { Page } from '../page.ts';

/** The package's README, loaded when somebody wants to read it. */
export function guidePage(): Page {
  const element = h('section', { class: 'guide', 'aria-label': 'Guide' });
  void import('../../../web/README.md?html').then(({ default: html }) => {
    element.innerHTML = html;
    for (const link of element.querySelectorAll('a')) bringIntoView(link, element);
    for (const block of element.querySelectorAll<HTMLElement>('pre, table')) block.tabIndex = 0;
  });
  return { element, leave: () => {} };
}

/** Addresses after "#" are pages of this site: links to a heading of the guide scroll to it instead. */
function bringIntoView(link: HTMLAnchorElement, guide: HTMLElement): void {
  const name = link.getAttribute('href')?.split('#')[1];
  if (name === undefined) return;
  link.addEventListener('click', (event) => {
    event.preventDefault();
    const plain = (text: string | null) => text?.toLowerCase().replace(/[^\w]+/g, '-');
    [...guide.querySelectorAll('h2')].find(({ textContent }) => plain(textContent) === name)?.scrollIntoView();
  });
}
