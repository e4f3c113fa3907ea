import { h } from '../dom.ts';
import type { Point, Stroke } from './ink.ts';

/** Positions are in a square of 1 by 1, so that the drawing survives a change of the pad's size. */
const penWidth = 0.055;
const keyStep = 0.03;

/** A square to draw on with mouse, finger or pen, and with the keyboard: arrows move the pen, space lowers it. */
export class Pad {
  readonly element: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #onChange: () => void;
  readonly #strokes: Point[][] = [];
  #pointer: number | undefined;
  /** Where the keyboard's pen is, and whether it is down. */
  #pen: (Point & { down: boolean }) | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#canvas = h('canvas', {
      tabindex: 0,
      role: 'application',
      'aria-label':
        'Drawing pad. Draw with mouse, finger or pen. With the keyboard: arrow keys move the pen, space lowers and raises it, backspace removes the last stroke.',
      onpointerdown: (event) => this.#start(event),
      onpointermove: (event) => this.#move(event),
      onpointerup: (event) => this.#end(event),
      onpointercancel: (event) => this.#end(event),
      onkeydown: (event) => this.#key(event),
    });
    this.element = h('div', { class: 'pad' }, this.#canvas);
    new ResizeObserver(() => this.#paint()).observe(this.element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#paint());
    new MutationObserver(() => this.#paint()).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  }

  get strokes(): readonly Stroke[] {
    return this.#strokes;
  }

  undo(): void {
    this.#strokes.pop();
    this.#changed();
  }

  clear(): void {
    this.#strokes.length = 0;
    this.#pen = undefined;
    this.#changed();
  }

  #changed(): void {
    this.#paint();
    this.#onChange();
  }

  #position(event: PointerEvent): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const inside = (value: number) => Math.min(1, Math.max(0, value));
    return { x: inside((event.clientX - left) / width), y: inside((event.clientY - top) / height) };
  }

  #start(event: PointerEvent): void {
    if (event.button !== 0 || this.#pointer !== undefined) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pen = undefined;
    this.#strokes.push([this.#position(event)]);
    this.#changed();
  }

  #move(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer) return;
    const stroke = this.#strokes.at(-1);
    // Fast pens report several positions in one event.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length > 0 ? events : [event]) stroke?.push(this.#position(each));
    this.#changed();
  }

  #end(event: PointerEvent): void {
    if (event.pointerId === this.#pointer) this.#pointer = undefined;
  }

  #key(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-keyStep, 0],
      ArrowRight: [keyStep, 0],
      ArrowUp: [0, -keyStep],
      ArrowDown: [0, keyStep],
    };
    const move = moves[event.key];
    this.#pen ??= { x: 0.5, y: 0.25, down: false };
    const pen = this.#pen;
    if (move !== undefined) {
      pen.x = Math.min(0.97, Math.max(0.03, pen.x + move[0]));
      pen.y = Math.min(0.97, Math.max(0.03, pen.y + move[1]));
      if (pen.down) this.#strokes.at(-1)?.push({ x: pen.x, y: pen.y });
    } else if (event.key === ' ') {
      pen.down = !pen.down;
      if (pen.down) this.#strokes.push([{ x: pen.x, y: pen.y }]);
    } else if (event.key === 'Backspace') {
      this.#strokes.pop();
      pen.down = false;
    } else {
      return;
    }
    event.preventDefault();
    this.#changed();
  }

  #paint(): void {
    const side = Math.round(this.element.clientWidth * devicePixelRatio);
    if (side === 0) return;
    this.#canvas.width = this.#canvas.height = side;
    const context = this.#canvas.getContext('2d') as CanvasRenderingContext2D;
    const style = getComputedStyle(this.element);
    context.strokeStyle = context.fillStyle = style.getPropertyValue('--ink');
    context.lineWidth = penWidth * side;
    context.lineCap = context.lineJoin = 'round';
    for (const stroke of this.#strokes) {
      context.beginPath();
      for (const { x, y } of stroke) context.lineTo(x * side, y * side);
      if (stroke.length === 1) context.lineTo((stroke[0] as Point).x * side, (stroke[0] as Point).y * side + 0.1);
      context.stroke();
    }
    if (this.#pen !== undefined) {
      context.fillStyle = style.getPropertyValue('--accent');
      context.beginPath();
      context.arc(this.#pen.x * side, this.#pen.y * side, side * (this.#pen.down ? 0.022 : 0.014), 0, 2 * Math.PI);
      context.fill();
    }
  }
}
