/** A part of the site: its element, and what to do when it is left. */
export interface Page {
  readonly element: HTMLElement;
  leave(): void;
}
