// Chromium with an extension of a folder, whose pages it opens.
import { chromium } from 'playwright-core';
import { chromiumFlags, chromiumPage, type PageDriver } from './drivers.ts';

export interface ExtensionDriver extends PageDriver {
  /** "chrome-extension://…/" */
  readonly url: string;
}

export async function startExtension(executablePath: string, folder: string): Promise<ExtensionDriver> {
  const context = await chromium.launchPersistentContext('', {
    executablePath,
    args: [...chromiumFlags, `--disable-extensions-except=${folder}`, `--load-extension=${folder}`],
    // Of Playwright's own flags this one forbids extensions.
    ignoreDefaultArgs: ['--disable-extensions'],
  });
  try {
    const background = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
    return {
      ...chromiumPage(await context.newPage(), () => context.close()),
      url: new URL('/', background.url()).href,
    };
  } catch (error) {
    await context.close();
    throw error;
  }
}
