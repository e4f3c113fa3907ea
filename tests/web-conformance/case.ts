// One case through the package's public interface, in any host.
import { type EngineOptions, NeuromancerError, Session, type ValueLike, type Values } from 'neuromancer';
import { compare, type Tolerance } from './compare.ts';
import { decodeValue } from './onnx-data.ts';

/** A folder of ONNX's backend tests; files are named by their paths. */
export interface Case {
  readonly name: string;
  readonly model: string;
  /** Files beside the model, which may hold its weights, by the names that it uses. */
  readonly external: Readonly<Record<string, string>>;
  readonly sets: readonly DataSet[];
  readonly tolerance: Tolerance;
}

export interface DataSet {
  readonly name: string;
  /** In the order of the model's inputs and outputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** How a host reads a file. */
export type Read = (path: string) => Promise<Uint8Array>;

/** Why the case fails, or undefined. */
export async function checkCase(given: Case, read: Read, options: EngineOptions): Promise<string | undefined> {
  try {
    const externalData = Object.fromEntries(
      await Promise.all(Object.entries(given.external).map(async ([name, path]) => [name, await read(path)] as const)),
    );
    const session = await Session.load(await read(given.model), { ...options, externalData });
    try {
      if (given.sets.length === 0) return 'there is no test_data_set_0';
      for (const set of given.sets) {
        const why = await checkSet(session, set, read, given.tolerance);
        if (why !== undefined) return `${set.name}: ${why}`;
      }
      return undefined;
    } finally {
      await session.release();
    }
  } catch (error) {
    if (!(error instanceof NeuromancerError)) return String(error);
    return `${error.operator === undefined ? '' : `${error.operator} '${error.node ?? ''}': `}${error.message}`;
  }
}

async function checkSet(session: Session, set: DataSet, read: Read, tolerance: Tolerance): Promise<string | undefined> {
  if (set.inputs.length > session.inputs.length) return 'the data have more inputs than the model';
  if (set.outputs.length > session.outputs.length) return 'the data have more outputs than the model';
  if (set.outputs.length === 0) return 'the data have no outputs to compare';
  const [inputs, outputs] = await Promise.all(
    [set.inputs, set.outputs].map((paths) => Promise.all(paths.map((path) => read(path)))),
  );
  const feeds: Record<string, ValueLike> = {};
  inputs?.forEach((file, i) => {
    const { name, type } = session.inputs[i] as Session['inputs'][number];
    feeds[name] = decodeValue(file, type);
  });
  const results = await session.run<Values>(feeds);
  for (const [i, file] of (outputs ?? []).entries()) {
    const { name, type } = session.outputs[i] as Session['outputs'][number];
    const why = compare(results[name], decodeValue(file, type), tolerance);
    if (why !== undefined) return `output '${name}': ${why}`;
  }
  return undefined;
}
