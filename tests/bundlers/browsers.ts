// The browsers that cells are opened in: started for the first of them, and kept for those that follow.
import type { PageDriver } from '../browser/drivers.ts';
import { pageBrowsers } from '../browser/webkit.ts';
import type { BrowserName } from './cell.ts';

const running = new Map<BrowserName, PageDriver>();

/** The program, where it is installed. */
export function browserPath(wanted: BrowserName): string | undefined {
  return pageBrowsers.find(({ name }) => name === wanted)?.path;
}

export async function browserAt(wanted: BrowserName, path: string): Promise<PageDriver> {
  const start = pageBrowsers.find(({ name }) => name === wanted)?.start as (path: string) => Promise<PageDriver>;
  const browser = running.get(wanted) ?? (await start(path));
  running.set(wanted, browser);
  return browser;
}

export async function closeBrowsers(): Promise<void> {
  for (const browser of running.values()) await browser.close();
}
