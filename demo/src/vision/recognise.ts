import type { Session, Tensor } from 'neuromancer';
import { type Box, decodeBoxes, decodeYolo, nonMaximumSuppression, onImage } from 'neuromancer/decode';
import { imageTensor, placement } from 'neuromancer/image';
import type { PictureInput, Task } from '../catalogue.ts';
import { type Ranked, rank } from './classes.ts';

export type VisionTask = Exclude<Task, 'draw'>;

export interface Network {
  session: Session;
  task: VisionTask;
  input: PictureInput;
  labels: readonly string[];
  /** A sentence or two for people. */
  about: string;
  /** Of the file, or its weights. */
  bytes: number;
}

export interface Recognition {
  ranked: Ranked[];
  boxes: Box[];
  /** Of the run alone. */
  milliseconds: number;
}

export async function recognise(network: Network, picture: ImageBitmap): Promise<Recognition> {
  const { session, task, input, labels } = network;
  const tensor = await imageTensor(picture, input);
  const feed = session.inputs.find(({ optional }) => !optional)?.name ?? 'input';
  const start = performance.now();
  const outputs = await session.run({ [feed]: tensor });
  const milliseconds = performance.now() - start;
  const [first, second] = session.outputs.map(({ name }) => outputs[name]) as [Tensor, Tensor];
  if (task === 'classify') return { ranked: rank(first, labels), boxes: [], milliseconds };
  const boxes = task === 'faces' ? faces(second, first, input) : objects(first, input);
  const at = placement(picture, input.size, input.fit, input.position);
  return { ranked: [], boxes: boxes.map((box) => onImage(box, at, picture)), milliseconds };
}

/** UltraFace: corners as shares of the input, and scores of background and face. */
function faces(corners: Tensor, scores: Tensor, { size }: PictureInput): Box[] {
  const found = decodeBoxes(corners, scores, { size, background: 0, threshold: 0.7 });
  return nonMaximumSuppression(found, { overlap: 0.3 });
}

function objects(output: Tensor, { size }: PictureInput): Box[] {
  const found = decodeYolo(output, { size, objectness: true, strides: [8, 16, 32], threshold: 0.35 });
  return nonMaximumSuppression(found, { overlap: 0.45 });
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
