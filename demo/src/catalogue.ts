import type { ImageOptions, Size } from 'neuromancer/image';
import catalogue from '../../models/catalogue.json';
import handwritingModel from '../../models/handwriting/handwriting.onnx?url';
import handwritingLabels from '../../models/handwriting/labels.json';

export type Task = 'draw' | 'classify' | 'faces' | 'objects';

/** How a picture becomes the network's input. */
export type PictureInput = ImageOptions & { readonly size: Size };

export interface CatalogueModel {
  name: string;
  title: string;
  task: Task;
  description: string;
  licence: string;
  /** Public address; absent for a model that ships in the repository as `file`. */
  url?: string;
  file?: string;
  bytes: number;
  sha256: string;
  labels: string | null;
  input: PictureInput;
}

export const models = catalogue.models as CatalogueModel[];

export function modelNamed(name: string): CatalogueModel {
  const model = models.find((entry) => entry.name === name);
  if (model === undefined) throw new Error(`The catalogue has no model "${name}".`);
  return model;
}

export const handwriting = { model: modelNamed('handwriting'), url: handwritingModel, labels: handwritingLabels };

let manifest: Promise<readonly string[]> | undefined;

/** The models that the site carries. */
function carried(): Promise<readonly string[]> {
  manifest ??= fetch(new URL('models/manifest.json', document.baseURI)).then((response) => response.json());
  return manifest;
}

/** Where to load a model from: the site itself when it carries it, else its public address. */
export async function modelUrl({ name, url }: CatalogueModel): Promise<string> {
  if (url === undefined) return handwriting.url;
  return (await carried()).includes(name) ? new URL(`models/${name}.onnx`, document.baseURI).href : url;
}

const labelFiles = import.meta.glob<string>('../../models/labels/*.txt', { query: '?raw', import: 'default' });

/** The class names in a label file, one a line; ImageNet's synset numbers are dropped. */
export async function labels(file: string): Promise<string[]> {
  const load = labelFiles[`../../models/labels/${file}`];
  if (load === undefined) throw new Error(`The catalogue has no labels "${file}".`);
  const lines = (await load()).trim().split('\n');
  return lines.map((line) => line.replace(/^n\d{8}\s+/, '').trim());
}
