// Real models for tests and for the site, which are no part of the repository: the environment's NM_MODELS names a folder
// in the layout of ONNX's backend tests (NAME/model.onnx, NAME/test_data_set_0/…). Labels and pictures that go with them
// lie beside it, in labels/ and media/.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Ends with a slash; undefined where NM_MODELS names no folder. */
export const modelsFolder: URL | undefined = existsSync(process.env.NM_MODELS ?? '')
  ? pathToFileURL(`${process.env.NM_MODELS}/`)
  : undefined;

const folder = modelsFolder ?? new URL('file:///nowhere/models/');

/** A file of the model's folder. */
export function modelFile(name: string, file = 'model.onnx'): URL {
  return new URL(`${name}/${file}`, folder);
}

/** What lies beside the models: labels/imagenet_synset.txt. */
export function besideModels(path: string): URL {
  return new URL(`../${path}`, folder);
}

/** Why a test of these models is skipped, for its title; empty when they are all there. */
export function whyWithout(...names: string[]): string {
  return modelsFolder !== undefined && names.every((name) => existsSync(modelFile(name)))
    ? ''
    : ' (skipped: NM_MODELS names no folder with this model)';
}
