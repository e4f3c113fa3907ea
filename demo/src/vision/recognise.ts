import type { Session, Tensor } from 'neuromancer';
import type { PictureInput, Task } from '../catalogue.ts';
import { type Box, decodeFaces, decodeYolox } from './boxes.ts';
import { type Ranked, rank } from './classes.ts';
import { prepare } from './picture.ts';

export type VisionTask = Exclude<Task, 'draw'>;

export interface Network {
  session: Session;
  task: VisionTask;
  input: PictureInput;
  labels: readonly string[];
}

export interface Recognition {
  ranked: Ranked[];
  boxes: Box[];
  /** Of the run alone. */
  milliseconds: number;
}

export async function recognise(network: Network, picture: ImageBitmap): Promise<Recognition> {
  const { session, task, input, labels } = network;
  const { tensor, placement } = prepare(picture, input);
  const feed = session.inputs.find(({ optional }) => !optional)?.name ?? 'input';
  const start = performance.now();
  const outputs = await session.run({ [feed]: tensor });
  const milliseconds = performance.now() - start;
  const values = (index: number) => (outputs[session.outputs[index]?.name ?? ''] as Tensor).toFloat32();
  if (task === 'faces') return { ranked: [], boxes: decodeFaces(values(0), values(1), input, placement), milliseconds };
  if (task === 'objects') {
    return { ranked: [], boxes: decodeYolox(values(0), labels.length, input, placement), milliseconds };
  }
  return { ranked: rank(values(0), labels), boxes: [], milliseconds };
}

/** "3 faces" or "Egyptian cat, 61 %" */
export function summarise({ ranked, boxes }: Recognition, task: VisionTask, labels: readonly string[]): string {
  if (task === 'classify') return ranked[0] === undefined ? 'nothing' : ranked[0].label;
  if (boxes.length === 0) return task === 'faces' ? 'No face found' : 'Nothing found';
  if (task === 'faces') return boxes.length === 1 ? '1 face' : `${boxes.length} faces`;
  const counts = new Map<string, number>();
  for (const { label } of boxes) {
    const name = labels[label] ?? `class ${label}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
}
