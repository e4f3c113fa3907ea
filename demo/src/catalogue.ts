import catalogue from '../../models/catalogue.json';
import handwritingModel from '../../models/handwriting/handwriting.onnx?url';
import handwritingLabels from '../../models/handwriting/labels.json';
import type { Manifest } from '../vite/local-files.ts';

export type Task = 'draw' | 'classify' | 'faces' | 'objects';

/** How pixels become a tensor: value = (pixel in 0 … 255 − mean) × scale, per channel in the order of `channels`. */
export interface PictureInput {
  type: 'float32' | 'float16' | 'uint8';
  layout: 'nchw' | 'nhwc';
  channels: 'rgb' | 'bgr' | 'gray';
  width: number;
  height: number;
  /** How the picture is fitted: all of it distorted, its middle, or all of it with bars of `pad` right and below. */
  fit: 'stretch' | 'cover' | 'letterbox';
  pad?: number;
  mean: readonly number[];
  scale: readonly number[];
}

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

let manifest: Promise<Manifest> | undefined;

/** What lies beside the repository, when the site is served from there. */
export function localFiles(): Promise<Manifest> {
  manifest ??= fetch(new URL('local/manifest.json', document.baseURI)).then((response) => response.json());
  return manifest;
}

export function localUrl(path: string): string {
  return new URL(`local/${path}`, document.baseURI).href;
}

/** Where to load a model from: beside the repository when it is there, else its public address. */
export async function modelUrl(model: CatalogueModel): Promise<string> {
  if (model.url === undefined) return handwriting.url;
  const { models: local } = await localFiles();
  return local.includes(model.name) ? localUrl(`models/${model.name}/model.onnx`) : model.url;
}

const labelFiles = catalogue.labels as Record<string, { url: string }>;

/** The class names in a label file, one a line; ImageNet's synset numbers are dropped. */
export async function labels(file: string): Promise<string[]> {
  const { labels: local } = await localFiles();
  const url = local.includes(file) ? localUrl(`labels/${file}`) : labelFiles[file]?.url;
  if (url === undefined) throw new Error(`The catalogue has no labels "${file}".`);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The class names could not be fetched from ${url}: ${response.status}.`);
  const lines = (await response.text()).trim().split('\n');
  return lines.map((line) => line.replace(/^n\d{8}\s+/, '').trim());
}
