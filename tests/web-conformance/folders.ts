// Cases in the layout of ONNX's backend tests: model.onnx and test_data_set_*/{input,output}_*.pb.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Case } from './case.ts';
import { onnxTolerance, type Tolerance } from './compare.ts';

/** The cases among these folders; other files and folders are passed over, so that a glob may name them. */
export function findCases(folders: readonly string[]): Case[] {
  return folders
    .map((folder) => resolve(folder))
    .filter((folder) => existsSync(join(folder, 'model.onnx')))
    .map((folder) => ({
      name: basename(folder),
      model: join(folder, 'model.onnx'),
      external: Object.fromEntries(filesBeside(folder).map((file) => [file, join(folder, file)])),
      sets: numbered(folder, /^test_data_set_(\d+)$/).map((set) => ({
        name: basename(set),
        inputs: numbered(set, /^input_(\d+)\.pb$/),
        outputs: numbered(set, /^output_(\d+)\.pb$/),
      })),
      tolerance: toleranceFor(folder),
    }));
}

/** A list of case names, one a line; what follows '#' is the reason. */
export function readSkips(file: string): Map<string, string> {
  const lines = readFileSync(file, 'utf8').split('\n');
  const entries = lines.map((line) => /^\s*([^#\s]+)\s*(?:#\s*(.*))?$/.exec(line));
  return new Map(entries.flatMap((entry) => (entry ? [[entry[1] ?? '', (entry[2] ?? '').trim()]] : [])));
}

/** Paths in a folder by the number in their names. */
function numbered(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const number = pattern.exec(name)?.[1];
      return number === undefined ? [] : [{ number: Number(number), path: join(folder, name) }];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ path }) => path);
}

function filesBeside(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'model.onnx')
    .map(({ name }) => name);
}

interface Index {
  readonly models?: readonly {
    readonly name: string;
    readonly suggested_tolerance?: { readonly rtol?: number; readonly atol?: number; readonly also?: string };
  }[];
}

/** An INDEX.json beside the folder may give the case a tolerance of its own. */
function toleranceFor(folder: string): Tolerance {
  const file = join(dirname(folder), 'INDEX.json');
  if (!existsSync(file)) return onnxTolerance;
  const { models = [] } = JSON.parse(readFileSync(file, 'utf8')) as Index;
  const own = models.find(({ name }) => name === basename(folder))?.suggested_tolerance;
  if (own === undefined) return onnxTolerance;
  const { rtol = onnxTolerance.rtol, atol = onnxTolerance.atol, also } = own;
  return { rtol, atol, argmax: also !== undefined };
}
