/** A three, as a mouse draws it: places in a square of side 1, from the upper left. */
export const three = [
  [0.3, 0.25],
  [0.4, 0.17],
  [0.55, 0.16],
  [0.66, 0.24],
  [0.66, 0.36],
  [0.58, 0.46],
  [0.46, 0.5],
  [0.6, 0.54],
  [0.7, 0.64],
  [0.66, 0.78],
  [0.52, 0.86],
  [0.38, 0.85],
  [0.28, 0.77],
] as const;
