/** How an image is fitted into another size, in the words of CSS's object-fit. */
export type Fit =
  /** The middle of it, without bars. */
  | 'cover'
  /** All of it, with bars of the background. */
  | 'contain'
  /** All of it, distorted. */
  | 'fill';

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** In pixels of the tensor's image; it reaches beyond it where the image was cropped. */
export interface Rectangle extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * Where an image of the size `from` lies in a tensor of the size `to`. A point (x, y) that a model found in the tensor is
 * in the image at `(x − left) × from.width ÷ width`, and so on. Bars lie on both sides, or with the position "start" at
 * the right and below.
 */
export function placement(
  from: Size,
  to: Size,
  fit: Fit = 'cover',
  position: 'center' | 'start' = 'center',
): Rectangle {
  if (fit === 'fill') return { left: 0, top: 0, width: to.width, height: to.height };
  const [across, down] = [to.width / from.width, to.height / from.height];
  const scale = fit === 'cover' ? Math.max(across, down) : Math.min(across, down);
  // In whole pixels: the edges of bars are sharp.
  const width = Math.max(1, Math.round(from.width * scale));
  const height = Math.max(1, Math.round(from.height * scale));
  const before = (room: number) => (position === 'start' ? 0 : Math.trunc(room / 2));
  return { left: before(to.width - width), top: before(to.height - height), width, height };
}
