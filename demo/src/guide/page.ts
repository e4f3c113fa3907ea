import { h } from '../dom.ts';
import type { Page } from '../page.ts';
import { titles } from './titles.ts';

const guides = import.meta.glob<string>('../../../docs/guides/*.md', { query: '?html', import: 'default' });
const reference = () => import('../../../web/README.md?html').then(({ default: html }) => html);

/** One of the guides, or the package's README; loaded when somebody wants to read it. */
export function guidePage(name: string): Page {
  const text = h('article', { class: 'guide' });
  const link = (path: string, title: string) =>
    h('a', { href: `#/guide${path && `/${path}`}`, ...(path === name ? { 'aria-current': 'page' } : {}) }, title);
  const element = h(
    'section',
    { 'aria-label': 'Guide' },
    h(
      'nav',
      { class: 'guides', 'aria-label': 'Guides' },
      link('', 'The package'),
      ...Object.entries(titles).map(([path, title]) => link(path, title)),
    ),
    text,
  );
  const load = guides[`../../../docs/guides/${name}.md`] ?? reference;
  void load().then((html) => {
    text.innerHTML = html;
    element.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
    for (const link of text.querySelectorAll('a')) lead(link, text);
    for (const block of text.querySelectorAll<HTMLElement>('pre, table')) block.tabIndex = 0;
  });
  return { element, leave: () => {} };
}

/** Files of other guides are pages of this site, and headings are scrolled to: addresses after "#" are pages here. */
function lead(link: HTMLAnchorElement, text: HTMLElement): void {
  const [file, heading] = (link.getAttribute('href') ?? '').split('#');
  if (file?.endsWith('.md') && !file.includes('/')) link.href = `#/guide/${file.replace('.md', '')}`;
  if (heading === undefined) return;
  link.addEventListener('click', (event) => {
    event.preventDefault();
    const plain = (title: string | null) => title?.toLowerCase().replace(/[^\w]+/g, '-');
    [...text.querySelectorAll('h2')].find(({ textContent }) => plain(textContent) === heading)?.scrollIntoView();
  });
}
