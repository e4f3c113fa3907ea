export function milliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 100 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e4 ? 1 : 0)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(value < 1e7 ? 2 : 1)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

export function percent(share: number): string {
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** One digit behind the point, below 100. */
export function decimal(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}
