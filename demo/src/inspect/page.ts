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
import { type Choices, openDimensions, randomFeeds, scalars } from './random.ts';

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
      h('p', {}, h('strong', {}, 'Drop an ONNX file here'), ', with the files of its weights if it has any, or'),
      h(
        'div',
        { class: 'toolbar' },
        fileButton('Open files', '', (_, files) => this.#open(files), true),
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
          this.#open([...(event.dataTransfer?.files ?? [])]);
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

  /** One model, and the files that it refers to. */
  #open(files: readonly File[]): void {
    const model = files.find(({ name }) => name.endsWith('.onnx')) ?? files[0];
    if (model === undefined) return;
    const others = files.filter((file) => file !== model);
    void this.#load(model.name, model, Object.fromEntries(others.map((file) => [file.name, file])));
  }

  async #load(name: string, source: Source, externalData: Record<string, Source> = {}): Promise<void> {
    this.#loading.abort();
    const loading = new AbortController();
    this.#loading = loading;
    void this.#session?.release();
    this.#session = undefined;
    this.#report.replaceChildren();
    try {
      const start = performance.now();
      const session = await openSession(name, source, this.#notice, loading.signal, externalData);
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
    const sizes = openDimensions(session.inputs).map((key) =>
      numberField(key, { min: 0, step: 1, value: 1, required: true }),
    );
    const values = scalars(session.inputs).map((key) =>
      numberField(`${key} (value)`, { step: 'any', placeholder: 'random' }, key),
    );
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
            await this.#run(session, { sizes: chosen(sizes), values: chosen(values) }, results);
            button.disabled = false;
          },
        },
        ...[...sizes, ...values].map(({ element }) => element),
        button,
      ),
      results,
    );
  }

  async #run(session: Session, choices: Choices, results: HTMLElement): Promise<void> {
    const stopping = new AbortController();
    const signal = AbortSignal.any([this.#loading.signal, stopping.signal]);
    const tell = (title: string) => this.#notice.progress(title, undefined, undefined, () => stopping.abort());
    try {
      tell('Making random inputs');
      await nextFrame();
      const feeds = randomFeeds(session.inputs, choices);
      tell('The first run, which plans');
      const first = await timed(() => session.run(feeds, { signal }));
      const times: number[] = [];
      for (let i = 0; i < timedRuns; i++) {
        tell(`Run ${i + 1} of ${timedRuns}`);
        times.push((await timed(() => session.run(feeds, { signal }))).milliseconds);
      }
      let profile: Profile | undefined;
      tell('A run that times each step');
      await session.run(feeds, { signal, profile: (p) => (profile = p) });
      const memory = await session.memory();
      this.#notice.clear();
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
      if (stopping.signal.aborted) this.#notice.clear();
      else if (!signal.aborted) this.#notice.error('The run failed', error);
    }
  }
}

interface NumberField {
  readonly key: string;
  readonly input: HTMLInputElement;
  readonly element: HTMLElement;
}

function numberField(text: string, attributes: Record<string, string | number | boolean>, key = text): NumberField {
  const input = h('input', { type: 'number', ...attributes });
  return { key, input, element: h('label', {}, text, input) };
}

/** The numbers that were given; empty fields have none. */
function chosen(fields: readonly NumberField[]): Map<string, number> {
  const given = fields.filter(({ input }) => input.value !== '');
  return new Map(given.map(({ key, input }) => [key, input.valueAsNumber]));
}

/** When the page has been painted. */
function nextFrame(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
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
