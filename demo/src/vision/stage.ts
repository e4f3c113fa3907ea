import type { Box } from 'neuromancer/decode';
import { h } from '../dom.ts';
import * as format from '../format.ts';

/** Shows a picture with boxes over it. */
export class Stage {
  readonly #canvas = h('canvas', { role: 'img', 'aria-label': 'No picture yet' });
  readonly element = h('div', { class: 'stage' }, this.#canvas);

  show(picture: ImageBitmap, description: string, boxes: readonly Box[] = [], labels: readonly string[] = []): void {
    // Small pictures are drawn larger, so that boxes and captions are sharp.
    const zoom = Math.max(1, 900 / picture.width);
    this.#canvas.width = picture.width * zoom;
    this.#canvas.height = picture.height * zoom;
    this.#canvas.setAttribute('aria-label', description);
    const context = this.#canvas.getContext('2d') as CanvasRenderingContext2D;
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, 0, 0, this.#canvas.width, this.#canvas.height);
    const unit = this.#canvas.width / 900;
    for (const box of [...boxes].reverse()) this.#draw(context, box, zoom, unit, labels[box.label]);
  }

  #draw(context: CanvasRenderingContext2D, box: Box, zoom: number, unit: number, label: string | undefined): void {
    const hue = (165 + box.label * 47) % 360;
    const [left, top] = [Math.max(2, box.left * zoom), Math.max(2, box.top * zoom)];
    const right = Math.min(this.#canvas.width - 2, box.right * zoom);
    const bottom = Math.min(this.#canvas.height - 2, box.bottom * zoom);
    context.lineWidth = 3.5 * unit;
    context.strokeStyle = `hsl(${hue} 85% 55%)`;
    context.beginPath();
    context.roundRect(left, top, right - left, bottom - top, 8 * unit);
    context.stroke();
    const caption = label === undefined ? format.percent(box.score) : `${label} ${format.percent(box.score)}`;
    context.font = `600 ${19 * unit}px system-ui, sans-serif`;
    const width = context.measureText(caption).width + 16 * unit;
    const height = 28 * unit;
    const above = top > height ? top - height : top;
    context.fillStyle = `hsl(${hue} 85% 55%)`;
    context.beginPath();
    context.roundRect(left - 1.5 * unit, above, width, height, 6 * unit);
    context.fill();
    context.fillStyle = '#06100d';
    context.textBaseline = 'middle';
    context.fillText(caption, left + 7 * unit, above + height / 2);
  }
}
