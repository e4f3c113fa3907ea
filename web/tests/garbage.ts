import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects what nobody refers to any more; finalizers run in a later task. */
export const collectGarbage = runInNewContext('gc') as () => void;
