import type { Profile, TimedStep } from 'neuromancer';
import { h } from '../dom.ts';
import * as format from '../format.ts';

const colours = 7;

interface Group {
  operator: string;
  steps: number;
  milliseconds: number;
}

/** Where the time of a run went: a strip of all steps in order, a bar per operator, and the slowest steps. */
export function profileChart(profile: Profile): HTMLElement {
  const total = profile.steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const groups = byOperator(profile.steps);
  const colour = (operator: string) => {
    const place = groups.findIndex((group) => group.operator === operator);
    return place < colours ? `var(--series-${place + 1})` : 'var(--series-rest)';
  };
  return h(
    'div',
    { class: 'profile' },
    h('h3', {}, 'Steps in order'),
    strip(profile.steps, total, colour),
    h('h3', {}, 'By operator'),
    h('ol', { class: 'operators' }, ...groups.map((group) => operatorRow(group, total, colour(group.operator)))),
    h('h3', {}, 'Slowest steps'),
    slowest(profile.steps, total, colour),
  );
}

function byOperator(steps: readonly TimedStep[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { operator, milliseconds } of steps) {
    const group = groups.get(operator) ?? { operator, steps: 0, milliseconds: 0 };
    group.steps += 1;
    group.milliseconds += milliseconds;
    groups.set(operator, group);
  }
  return [...groups.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

function strip(steps: readonly TimedStep[], total: number, colour: (operator: string) => string): HTMLElement {
  const pieces = steps.map((step) =>
    h('i', {
      style: `flex-grow: ${(step.milliseconds / total) * 1000}; background: ${colour(step.operator)}`,
      title: `${step.operator} ${step.node}\n${step.shape}\n${format.milliseconds(step.milliseconds)}`,
    }),
  );
  return h('div', { class: 'strip', role: 'img', 'aria-label': `${steps.length} steps by time` }, ...pieces);
}

function operatorRow({ operator, steps, milliseconds }: Group, total: number, colour: string): HTMLElement {
  return h(
    'li',
    { style: `--share: ${milliseconds / total}; --colour: ${colour}` },
    h('span', { class: 'ranking-label' }, operator, h('small', {}, ` ${steps === 1 ? '1 step' : `${steps} steps`}`)),
    h('span', { class: 'number' }, `${format.milliseconds(milliseconds)}`),
  );
}

function slowest(steps: readonly TimedStep[], total: number, colour: (operator: string) => string): HTMLElement {
  const rows = [...steps].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, 12);
  return h(
    'div',
    { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'Slowest steps' },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h('tr', {}, ...['Step', 'Output', 'Kernel', 'Time', 'Share', 'GFLOP/s'].map((name) => h('th', {}, name))),
      ),
      h(
        'tbody',
        {},
        ...rows.map((step) =>
          h(
            'tr',
            {},
            h(
              'td',
              {},
              h('i', { class: 'dot', style: `background: ${colour(step.operator)}` }),
              `${step.operator} `,
              h('small', {}, step.node),
            ),
            h('td', { class: 'code' }, step.shape),
            h('td', {}, step.kernel || '–'),
            h('td', { class: 'number' }, format.milliseconds(step.milliseconds)),
            h('td', { class: 'number' }, format.percent(step.milliseconds / total)),
            h('td', { class: 'number' }, rate(step)),
          ),
        ),
      ),
    ),
  );
}

function rate({ flops, milliseconds }: TimedStep): string {
  return flops > 0 && milliseconds > 0 ? (flops / milliseconds / 1e6).toFixed(1) : '–';
}
