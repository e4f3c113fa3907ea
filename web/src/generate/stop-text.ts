/** Finds the first of some texts in text that comes in pieces, and holds back what may be the beginning of one. */
export class StopText {
  readonly #stops: readonly string[];
  #held = '';
  /** Whether a stop has come: nothing comes after it. */
  found = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** What may be shown now. */
  add(piece: string): string {
    if (this.found) return '';
    const text = this.#held + piece;
    const places = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (places.length > 0) {
      this.found = true;
      this.#held = '';
      return text.slice(0, Math.min(...places));
    }
    const length = Math.max(0, ...this.#stops.map((stop) => beginning(text, stop)));
    this.#held = text.slice(text.length - length);
    return text.slice(0, text.length - length);
  }

  /** What was held back, when no more comes. */
  end(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}

/** How many characters at the end of `text` are the beginning of `stop`. */
function beginning(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
