import { detectFeatures, type EngineInfo } from 'neuromancer';
import { h, svg } from './dom.ts';
import { drawPage } from './draw/page.ts';
import { guidePage } from './guide/page.ts';
import { icons } from './icons.ts';
import { inspectPage } from './inspect/page.ts';
import type { Page } from './page.ts';
import { describeEngine, engineEvents } from './sessions.ts';
import { restoreTheme, switchTheme } from './theme.ts';
import { visionPage } from './vision/page.ts';
import { writePage } from './write/page.ts';

const pages = [
  { path: 'draw', text: 'Draw', make: drawPage },
  { path: 'vision', text: 'See', make: visionPage },
  { path: 'write', text: 'Write', make: writePage },
  { path: 'model', text: 'Run any model', make: inspectPage },
  { path: 'guide', text: 'Guide', make: guidePage },
] as const;

restoreTheme();

/** The built site has the API reference beside it. */
const reference = import.meta.env.PROD ? [h('a', { href: './reference/index.html' }, 'API reference'), ' · '] : [];

const main = h('main', { id: 'content', tabindex: -1 });
const chip = h('span', { class: 'chip', title: 'What models run on in this browser' }, startingEngine());
const links = pages.map(({ path, text }) => h('a', { href: `#/${path}` }, text));

document.body.append(
  h('a', { class: 'skip-link', href: '#content', onclick: skip }, 'Skip to content'),
  h(
    'header',
    {},
    h('a', { class: 'wordmark', href: '#/draw' }, logo(), h('span', {}, 'Neuromancer')),
    h('nav', { 'aria-label': 'Pages' }, ...links),
    h('span', { class: 'spacer' }),
    chip,
    h(
      'button',
      { type: 'button', class: 'bare', 'aria-label': 'Switch between light and dark', onclick: switchTheme },
      svg(icons.sun),
    ),
  ),
  main,
  h(
    'footer',
    {},
    h('span', {}, 'Models run in this page, on your processor.'),
    h(
      'span',
      {},
      h('code', {}, 'npm install neuromancer'),
      ' · ',
      h('a', { href: '#/guide' }, 'Guide'),
      ' · ',
      ...reference,
      'Apache-2.0',
    ),
  ),
);

engineEvents.addEventListener('engine', (event) => {
  chip.textContent = describeEngine((event as CustomEvent<EngineInfo>).detail);
});

let current: Page | undefined;

function navigate(): void {
  const [path, rest = ''] = location.hash.replace(/^#\//, '').split('/');
  const index = Math.max(
    0,
    pages.findIndex((page) => page.path === path),
  );
  const page = pages[index] as (typeof pages)[number];
  links.forEach((link, i) => {
    if (i === index) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  });
  document.title = page.path === 'draw' ? 'Neuromancer' : `${page.text} · Neuromancer`;
  current?.leave();
  current = page.make(rest);
  main.replaceChildren(current.element);
}

function startingEngine(): string {
  const { simd, relaxedSimd } = detectFeatures();
  return simd ? (relaxedSimd ? 'relaxed SIMD' : 'SIMD') : 'no SIMD';
}

function skip(event: Event): void {
  event.preventDefault();
  main.focus();
}

function logo(): SVGSVGElement {
  const mark = svg('M6 18V6l12 12V6');
  mark.classList.add('logo');
  return mark;
}

window.addEventListener('hashchange', navigate);
navigate();
