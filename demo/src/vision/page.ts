import type { Source } from 'neuromancer';
import { type CatalogueModel, labels as loadLabels, modelNamed, models, modelUrl } from '../catalogue.ts';
import { h, segmented, svg } from '../dom.ts';
import { Facts } from '../facts.ts';
import { fileButton } from '../file-button.ts';
import * as format from '../format.ts';
import { icons } from '../icons.ts';
import { Notice } from '../notice.ts';
import type { Page } from '../page.ts';
import { describeEngine, openSession } from '../sessions.ts';
import { Camera } from './camera.ts';
import { inputOf, type Preset, presets } from './presets.ts';
import { type Network, type Recognition, recognise, summarise, type VisionTask } from './recognise.ts';
import { samples } from './samples.ts';
import { Stage } from './stage.ts';

const tasks = [
  { value: 'classify', text: 'Name it' },
  { value: 'faces', text: 'Find faces' },
  { value: 'objects', text: 'Find objects' },
] as const;

const defaultModels: Record<VisionTask, string> = {
  classify: 'squeezenet-fp16',
  faces: 'ultraface-rfb-320',
  objects: 'yolox-nano-416',
};

export function visionPage(): Page {
  return new VisionPage();
}

class VisionPage implements Page {
  readonly element: HTMLElement;
  readonly #stage = new Stage();
  readonly #notice = new Notice();
  readonly #facts = new Facts(['Latency', 'Model', 'Input', 'Engine']);
  readonly #verdict = h('output', { class: 'headline', 'aria-live': 'polite' }, ' ');
  readonly #ranking = h('ol', { class: 'ranking' });
  readonly #modelName = h('p', { class: 'muted' });
  readonly #thumbnails = h(
    'div',
    { class: 'thumbnails', role: 'group', 'aria-label': 'Sample pictures' },
    ...samples.map(({ name, url }) =>
      h(
        'button',
        {
          type: 'button',
          class: 'thumbnail',
          'aria-label': `Sample picture: ${name}`,
          title: name,
          onclick: () => void this.#openUrl(url),
        },
        h('img', { src: url, alt: '' }),
      ),
    ),
  );
  readonly #cameraButton = h(
    'button',
    { type: 'button', onclick: () => this.#toggleCamera() },
    svg(icons.camera),
    'Camera',
  );
  readonly #customModel: HTMLElement;
  readonly #leaving = new AbortController();
  #preset: Preset = 'torchvision';
  #task: VisionTask = 'classify';
  #picture: ImageBitmap | undefined;
  #network: Network | undefined;
  #loading = new AbortController();
  #camera: Camera | undefined;
  #running = false;
  #stale = false;

  constructor() {
    this.#customModel = this.#makeCustomModel();
    this.element = h(
      'section',
      {
        class: 'vision',
        'aria-labelledby': 'vision-title',
        ondragover: (event) => event.preventDefault(),
        ondrop: (event) => this.#drop(event),
      },
      h(
        'div',
        { class: 'intro' },
        h('h1', { id: 'vision-title' }, 'Show it a picture.'),
        h(
          'p',
          {},
          'Drop one anywhere, paste it, take it with the camera, or choose a sample. It never leaves this device.',
        ),
      ),
      h(
        'div',
        { class: 'vision-stage' },
        this.#stage.element,
        h(
          'div',
          { class: 'toolbar' },
          this.#thumbnails,
          h('span', { class: 'spacer' }),
          fileButton('Open picture', 'image/*', (file) => this.#open(file)),
          this.#cameraButton,
        ),
      ),
      h(
        'div',
        { class: 'card vision-result' },
        segmented('Task', tasks, this.#task, (task) => void this.#choose(task)),
        this.#notice.element,
        this.#verdict,
        this.#ranking,
        this.#facts.element,
        this.#modelName,
        this.#customModel,
      ),
    );
    document.addEventListener('paste', (event) => this.#paste(event), { signal: this.#leaving.signal });
    void this.#start();
  }

  leave(): void {
    this.#leaving.abort();
    this.#loading.abort();
    this.#camera?.stop();
    void this.#network?.session.release();
  }

  async #start(): Promise<void> {
    const [first] = samples;
    if (first !== undefined) await this.#openUrl(first.url);
    await this.#choose(this.#task);
  }

  // --- Models

  #showTask(task: VisionTask): void {
    this.#task = task;
    this.#customModel.hidden = task !== 'classify';
    const choice = this.element.querySelector<HTMLInputElement>(`.segmented input[value=${task}]`);
    if (choice !== null) choice.checked = true;
  }

  async #choose(task: VisionTask): Promise<void> {
    this.#showTask(task);
    await this.#loadFromCatalogue(modelNamed(defaultModels[task]));
  }

  async #loadFromCatalogue(model: CatalogueModel): Promise<void> {
    await this.#load(model.title, async (signal) => {
      const [url, labels] = await Promise.all([modelUrl(model), model.labels === null ? [] : loadLabels(model.labels)]);
      const session = await openSession(model.title, url, this.#notice, signal);
      const about = `${model.title}. ${model.description} Licence: ${model.licence}.`;
      return { session, task: model.task as VisionTask, input: model.input, labels, about, bytes: model.bytes };
    });
  }

  async #loadCustom(name: string, source: Source): Promise<void> {
    await this.#load(name, async (signal) => {
      const session = await openSession(name, source, this.#notice, signal);
      try {
        const labels = await loadLabels('imagenet_synset.txt');
        const about = `${name}. The classes of ImageNet are assumed.`;
        const { weightBytes: bytes } = session.model;
        return { session, task: 'classify', input: inputOf(session, this.#preset), labels, about, bytes };
      } catch (error) {
        void session.release();
        throw error;
      }
    });
  }

  /**
   * Puts another network in place of the present one; the latest request wins. One that cannot be loaded changes nothing:
   * the error stands beside the results of the present one until the next picture.
   */
  async #load(title: string, make: (signal: AbortSignal) => Promise<Network>): Promise<void> {
    this.#loading.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.element.dataset.ready = 'false';
    try {
      const network = await make(loading.signal);
      if (loading.signal.aborted) {
        void network.session.release();
        return;
      }
      void this.#network?.session.release();
      this.#network = network;
      this.#clearResult();
      this.#modelName.textContent = network.about;
      this.#facts.set('Model', format.bytes(network.bytes));
      this.#facts.set(
        'Input',
        `${network.input.size.width} × ${network.input.size.height} ${network.input.dtype ?? 'float32'}`,
      );
      this.#facts.set('Engine', describeEngine(network.session.engine));
      await this.#recognise();
    } catch (error) {
      if (loading.signal.aborted) return;
      const network = this.#network;
      if (network !== undefined) this.#showTask(network.task);
      this.element.dataset.ready = String(network !== undefined);
      const rest = network === undefined ? '' : '; the model before it stays';
      this.#notice.error(`${title} could not be loaded${rest}`, error);
    }
  }

  #makeCustomModel(): HTMLElement {
    const catalogue = models.filter(({ task }) => task === 'classify');
    const address = h('input', { type: 'url', id: 'model-url', placeholder: 'https://…/model.onnx', required: true });
    return h(
      'details',
      { class: 'custom-model' },
      h('summary', {}, 'Use another classifier'),
      h(
        'div',
        { class: 'fields' },
        h(
          'label',
          {},
          'From the catalogue',
          h(
            'select',
            {
              onchange: (event) => void this.#loadFromCatalogue(modelNamed((event.target as HTMLSelectElement).value)),
            },
            ...catalogue.map(({ name, title }) => h('option', { value: name }, title)),
          ),
        ),
        h(
          'label',
          {},
          'Pixels of your own model',
          h(
            'select',
            { onchange: (event) => (this.#preset = (event.target as HTMLSelectElement).value as Preset) },
            ...Object.entries(presets).map(([value, { text }]) => h('option', { value }, text)),
          ),
        ),
        fileButton('Open ONNX file', '.onnx', (file) => void this.#loadCustom(file.name, file)),
        h(
          'form',
          {
            class: 'address',
            onsubmit: (event) => {
              event.preventDefault();
              void this.#loadCustom(address.value.split('/').at(-1) ?? 'The model', address.value);
            },
          },
          h('label', { for: 'model-url', class: 'sr-only' }, 'Address of an ONNX model'),
          address,
          h('button', { type: 'submit' }, 'Load'),
        ),
      ),
    );
  }

  // --- Pictures

  async #openUrl(url: string): Promise<void> {
    try {
      await this.#open(await (await fetch(url)).blob());
    } catch (error) {
      this.#notice.error('The picture could not be loaded', error);
    }
  }

  async #open(file: Blob): Promise<void> {
    this.#stopCamera();
    try {
      this.#picture = await createImageBitmap(file);
    } catch (cause) {
      this.#notice.error('This is not a picture that the browser can read', cause);
      return;
    }
    this.#stage.show(this.#picture, 'The picture');
    await this.#recognise();
  }

  #drop(event: DragEvent): void {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    if (file.name.endsWith('.onnx')) void this.#loadCustom(file.name, file);
    else void this.#open(file);
  }

  #paste(event: ClipboardEvent): void {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
    if (file !== undefined) void this.#open(file);
  }

  async #toggleCamera(): Promise<void> {
    if (this.#camera !== undefined) {
      this.#stopCamera();
      return;
    }
    try {
      this.#camera = await Camera.open();
    } catch (error) {
      this.#notice.error('The camera could not be opened', error);
      return;
    }
    this.#cameraButton.classList.add('active');
    while (this.#camera?.running && !this.#leaving.signal.aborted) {
      this.#picture = await this.#camera.frame();
      if (this.#network === undefined) this.#stage.show(this.#picture, 'The camera');
      await this.#recognise();
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }

  #stopCamera(): void {
    this.#camera?.stop();
    this.#camera = undefined;
    this.#cameraButton.classList.remove('active');
  }

  // --- Results

  /** Recognises the latest picture; one that comes during a run is recognised right after it. */
  async #recognise(): Promise<void> {
    this.#stale = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#stale) {
      this.#stale = false;
      if (this.#network !== undefined && this.#picture !== undefined) await this.#run(this.#network, this.#picture);
    }
    this.#running = false;
  }

  async #run(network: Network, picture: ImageBitmap): Promise<void> {
    try {
      const result = await recognise(network, picture);
      if (network === this.#network) this.#show(network, picture, result);
    } catch (error) {
      if (network === this.#network) this.#notice.error('The picture could not be recognised', error);
    }
  }

  #show(network: Network, picture: ImageBitmap, result: Recognition): void {
    const summary = summarise(result, network.task, network.labels);
    this.#notice.clear();
    this.#verdict.textContent = summary;
    this.#facts.set('Latency', format.milliseconds(result.milliseconds));
    this.#stage.show(picture, `The picture: ${summary}`, result.boxes, network.labels);
    const rows =
      network.task === 'classify'
        ? result.ranked
        : result.boxes
            .slice(0, 8)
            .map(({ label, score }) => ({ label: network.labels[label] ?? 'face', share: score }));
    this.#ranking.replaceChildren(
      ...rows.map(({ label, share }) =>
        h(
          'li',
          { style: `--share: ${share}` },
          h('span', { class: 'ranking-label' }, label),
          h('span', { class: 'number' }, format.percent(share)),
        ),
      ),
    );
    this.element.dataset.ready = 'true';
  }

  #clearResult(): void {
    this.#verdict.textContent = ' ';
    this.#ranking.replaceChildren();
    this.#facts.set('Latency', '–');
    if (this.#picture !== undefined) this.#stage.show(this.#picture, 'The picture');
  }
}
