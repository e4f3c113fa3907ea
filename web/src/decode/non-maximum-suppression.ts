import { checkOptions, type OptionRules } from '../api/names.js';
import type { Box } from './box.js';

export interface NonMaximumSuppressionOptions {
  /** Intersection over union above which two boxes are of one thing; by default 0.5. */
  overlap?: number;
  /** The most boxes that are kept; by default all. */
  limit?: number;
  /** Whether boxes of different classes suppress each other, too; by default not. */
  acrossClasses?: boolean;
}

const rules: OptionRules = {
  overlap: ['a number of 0 to 1', (value) => Number(value) >= 0 && Number(value) <= 1],
  limit: ['a number', (value) => typeof value === 'number' && value >= 0],
  acrossClasses: ['true or false', (value) => typeof value === 'boolean'],
};

/** Of boxes that overlap the one with the highest score; best first. */
export function nonMaximumSuppression(boxes: readonly Box[], options: NonMaximumSuppressionOptions = {}): Box[] {
  checkOptions('nonMaximumSuppression', options, rules);
  const { overlap = 0.5, limit = Number.POSITIVE_INFINITY, acrossClasses = false } = options;
  const kept: Box[] = [];
  for (const box of [...boxes].sort((a, b) => b.score - a.score)) {
    if (kept.length >= limit) break;
    const rivals = acrossClasses ? kept : kept.filter(({ label }) => label === box.label);
    if (!rivals.some((other) => intersectionOverUnion(other, box) > overlap)) kept.push(box);
  }
  return kept;
}

function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (!(width > 0 && height > 0)) return 0;
  const both = width * height;
  return both / (area(a) + area(b) - both);
}

function area({ left, top, right, bottom }: Box): number {
  return (right - left) * (bottom - top);
}
