import { describe, expect, test } from 'vitest';
import type { PageDriver } from './drivers.ts';

interface Browser<D extends PageDriver> {
  readonly name: string;
  readonly start: (path: string) => Promise<D>;
  /** Without one it is not installed, and its test is skipped. */
  readonly path: string | undefined;
}

/**
 * A test with a browser of its own, for each of these; nothing may be left uncaught in the page. `without` says why it is
 * skipped everywhere, for its title; empty where it is not. `timeout` is in milliseconds, by default a minute.
 */
export function inEachBrowser<D extends PageDriver>(
  browsers: readonly Browser<D>[],
  title: string,
  run: (driver: D) => Promise<void>,
  without = '',
  timeout = 60_000,
): void {
  describe.each(browsers)('$name', ({ start, path }) => {
    const why = path === undefined ? ' (skipped: not installed)' : without;
    test.skipIf(why !== '')(`${title}${why}`, { timeout }, async () => {
      const driver = await start(path as string);
      try {
        await run(driver);
        expect(driver.errors).toEqual([]);
      } finally {
        await driver.close();
      }
    });
  });
}
