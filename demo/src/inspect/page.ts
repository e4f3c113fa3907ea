import { describe, type Profile, type Session, type Source, type ValueInfo } from 'neuromancer';
import { modelNamed, models, modelUrl } from '../catalogue.ts';
import { h, svg } from '../dom.ts';
import { Facts } from '../facts.ts';
import { fileButton } from '../file-button.ts';
import * as format from '../format.ts';
import { icons } from '../icons.ts';
import { Notice } from '../notice.ts';
import type { Page } from '../page.ts';
import { describeEngine, openSession } from '../sessions.ts';
import { profileChart } from './profile.ts';
import { openDimensions, randomFeeds } from './random.ts';

/** Timed runs after the one that plans and warms up. */
const timedRuns = 5;

export function inspectPage(): Page {
  return new InspectPage();
}

class InspectPage implements Page {
  readonly element: HTMLElement;
  readonly #notice = new Notice();
  readonly #report = h('div', { class: 'report' });
  #loading = new AbortController();
  #session: Session | undefined;

  constructor() {
    const address = h('input', {
      type: 'url',
      id: 'any-model-url',
      placeholder: 'https://…/model.onnx',
      required: true,
    });
    const dropZone = h(
      'div',
      { class: 'drop-zone' },
      svg(icons.upload),
      h('p', {}, h('strong', {}, 'Drop an ONNX file here'), ' or'),
      h(
        'div',
        { class: 'toolbar' },
        fileButton('Open file', '.onnx', (file) => void this.#load(file.name, file)),
        h(
          'select',
          {
            'aria-label': 'Model from the catalogue',
            onchange: (event) => void this.#fromCatalogue(event.target as HTMLSelectElement),
          },
          h('option', { value: '' }, 'From the catalogue…'),
          ...models.map(({ name, title }) => h('option', { value: name }, title)),
        ),
        h(
          'form',
          {
            class: 'address',
            onsubmit: (event) => {
              event.preventDefault();
              void this.#load(address.value.split('/').at(-1) ?? 'The model', address.value);
            },
          },
          h('label', { for: 'any-model-url', class: 'sr-only' }, 'Address of an ONNX model'),
          address,
          h('button', { type: 'submit' }, 'Load'),
        ),
      ),
    );
    this.element = h(
      'section',
      {
        class: 'inspect',
        'aria-labelledby': 'inspect-title',
        ondragover: (event) => {
          event.preventDefault();
          dropZone.classList.add('over');
        },
        ondragleave: () => dropZone.classList.remove('over'),
        ondrop: (event) => {
          event.preventDefault();
          dropZone.classList.remove('over');
          const file = event.dataTransfer?.files[0];
          if (file !== undefined) void this.#load(file.name, file);
        },
      },
      h(
        'div',
        { class: 'intro' },
        h('h1', { id: 'inspect-title' }, 'Run any model.'),
        h('p', {}, 'See what an ONNX file takes and gives, run it on random inputs, and find out where its time goes.'),
      ),
      dropZone,
      this.#notice.element,
      this.#report,
    );
  }

  leave(): void {
    this.#loading.abort();
    void this.#session?.release();
  }

  async #fromCatalogue(select: HTMLSelectElement): Promise<void> {
    if (select.value === '') return;
    const model = modelNamed(select.value);
    await this.#load(model.title, await modelUrl(model));
  }

  async #load(name: string, source: Source): Promise<void> {
    this.#loading.abort();
    const loading = new AbortController();
    this.#loading = loading;
    void this.#session?.release();
    this.#session = undefined;
    this.#report.replaceChildren();
    try {
      const start = performance.now();
      const session = await openSession(name, source, this.#notice, loading.signal);
      this.#session = session;
      this.#report.replaceChildren(...this.#describe(name, session, performance.now() - start));
    } catch (error) {
      if (!loading.signal.aborted) this.#notice.error(`${name} could not be loaded`, error);
    }
  }

  #describe(name: string, session: Session, loadTime: number): HTMLElement[] {
    const { model } = session;
    const facts = new Facts(['Loaded in', 'Nodes', 'Weights', 'Producer', 'Opset']);
    facts.set('Loaded in', format.milliseconds(loadTime));
    facts.set('Nodes', String(model.nodes));
    facts.set('Weights', format.bytes(model.weightBytes));
    facts.set('Producer', model.producer || '–');
    facts.set(
      'Opset',
      Object.entries(model.opsets)
        .map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`)
        .join(', '),
    );
    const operators = Object.entries(model.operators).sort(([, a], [, b]) => b - a);
    return [
      h('div', { class: 'card' }, h('h2', {}, name), facts.element),
      h(
        'div',
        { class: 'columns' },
        h(
          'div',
          { class: 'card' },
          h('h2', {}, 'Inputs'),
          valueTable(session.inputs.filter(({ optional }) => !optional)),
        ),
        h('div', { class: 'card' }, h('h2', {}, 'Outputs'), valueTable(session.outputs)),
      ),
      h(
        'div',
        { class: 'card' },
        h('h2', {}, 'Operators'),
        h(
          'ul',
          { class: 'operator-chips' },
          ...operators.map(([operator, count]) => h('li', {}, operator, h('span', { class: 'number' }, ` ${count}`))),
        ),
      ),
      this.#runCard(session),
    ];
  }

  #runCard(session: Session): HTMLElement {
    const symbols = openDimensions(session.inputs);
    const fields = symbols.map((symbol) => {
      const input = h('input', { type: 'number', min: 0, step: 1, value: 1, required: true });
      const name = symbol === '?' ? 'Unnamed sizes' : symbol;
      return { symbol, input, element: h('label', {}, name, input) };
    });
    const results = h('div', { class: 'results', 'aria-live': 'polite' });
    const button = h('button', { type: 'submit', class: 'primary' }, svg(icons.play), 'Run with random inputs');
    return h(
      'div',
      { class: 'card' },
      h('h2', {}, 'Run'),
      h(
        'form',
        {
          class: 'run-form',
          onsubmit: async (event) => {
            event.preventDefault();
            button.disabled = true;
            const sizes = new Map(fields.map(({ symbol, input }) => [symbol, input.valueAsNumber]));
            await this.#run(session, sizes, results);
            button.disabled = false;
          },
        },
        ...fields.map(({ element }) => element),
        button,
      ),
      results,
    );
  }

  async #run(session: Session, sizes: ReadonlyMap<string, number>, results: HTMLElement): Promise<void> {
    const { signal } = this.#loading;
    this.#notice.clear();
    try {
      const feeds = randomFeeds(session.inputs, sizes);
      const first = await timed(() => session.run(feeds, { signal }));
      const times: number[] = [];
      for (let i = 0; i < timedRuns; i++) times.push((await timed(() => session.run(feeds))).milliseconds);
      let profile: Profile | undefined;
      await session.run(feeds, { profile: (p) => (profile = p) });
      const memory = await session.memory();
      const facts = new Facts(['Median', 'First run', 'Steps', 'Memory', 'Activations', 'Engine']);
      facts.set('Median', format.milliseconds(times.sort((a, b) => a - b)[Math.floor(timedRuns / 2)] as number));
      facts.set('First run', format.milliseconds(first.milliseconds));
      facts.set('Steps', String(profile?.steps.length ?? 0));
      facts.set('Memory', format.bytes(memory.heap));
      facts.set('Activations', format.bytes(memory.arena));
      facts.set('Engine', describeEngine(session.engine));
      const outputs = Object.entries(first.value).map(([name, tensor]) => ({
        name,
        type: tensor.type,
        shape: tensor.shape,
      }));
      results.replaceChildren(
        facts.element,
        h('h3', {}, 'Outputs of this run'),
        valueTable(outputs),
        ...(profile === undefined ? [] : [profileChart(profile)]),
      );
    } catch (error) {
      if (!signal.aborted) this.#notice.error('The run failed', error);
    }
  }
}

async function timed<T>(call: () => Promise<T>): Promise<{ value: T; milliseconds: number }> {
  const start = performance.now();
  const value = await call();
  return { value, milliseconds: performance.now() - start };
}

function valueTable(values: readonly ValueInfo[]): HTMLElement {
  return h(
    'div',
    { class: 'table-scroll' },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, h('th', {}, 'Name'), h('th', {}, 'Type and shape'))),
      h(
        'tbody',
        {},
        ...values.map(({ name, type, shape }) =>
          h('tr', {}, h('td', {}, name), h('td', { class: 'code' }, describe(type, shape))),
        ),
      ),
    ),
  );
}
