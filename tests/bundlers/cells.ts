// The matrix.
import { bundlers } from './bundlers.ts';
import type { Cell } from './cell.ts';
import { extensions } from './extensions.ts';
import { frameworks } from './frameworks.ts';
import { pages } from './pages.ts';
import { processes } from './processes.ts';
import { types } from './types.ts';

export const cells: readonly Cell[] = [...pages, ...extensions, ...processes, ...types, ...bundlers, ...frameworks];
