import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of the processor that a process's threads have taken so far; NaN where the system does not say. */
export function processorTime(pid) {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return Number.NaN;
  const nanoseconds = (task) => Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]);
  return readdirSync(tasks).reduce((sum, task) => sum + nanoseconds(task) / 1e6, 0);
}
