// The browsers behind one small interface: Chromium by Playwright, Firefox by Puppeteer over WebDriver BiDi. (WebKit: webkit.ts)
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import puppeteer from 'puppeteer-core';

/** A page that is opened and asked. */
export interface PageDriver {
  /** Opens an address in a fresh document. */
  open(url: string): Promise<void>;
  evaluate<T>(expression: string): Promise<T>;
  /** What the page wrote to its console as an error, and what it did not catch. */
  readonly errors: string[];
  close(): Promise<void>;
}

/** A page that is used as people do. */
export interface Driver extends PageDriver {
  /** Waits for an element that matches, for at most half a minute. */
  waitFor(selector: string): Promise<void>;
  /** The size of the page in pixels. */
  resize(width: number, height: number): Promise<void>;
  click(selector: string): Promise<void>;
  /** Presses the mouse at the first point, moves over the others, releases; as shares of the element. */
  drag(selector: string, points: readonly (readonly [number, number])[]): Promise<void>;
  /** Gives files to a file input. */
  upload(selector: string, ...paths: readonly string[]): Promise<void>;
  /** Writes what is seen to a file. */
  screenshot(path: string): Promise<void>;
}

/** The path of the first of these programs that exists; `variable` of the environment goes first. */
export function findBrowser(variable: string, names: readonly string[]): string | undefined {
  const given = process.env[variable];
  if (given) return given;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

export const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A page of Chromium's; `close` ends what it is of. */
export function chromiumPage(page: Page, close: () => Promise<void>): PageDriver {
  const errors: string[] = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  return {
    errors,
    async open(url) {
      await page.goto('about:blank');
      await page.goto(url);
    },
    evaluate: (expression) => page.evaluate(expression),
    close,
  };
}

export async function startChromium(executablePath: string): Promise<Driver> {
  const browser = await chromium.launch({ executablePath, args: chromiumFlags });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  return {
    ...chromiumPage(page, () => browser.close()),
    waitFor: async (selector) => void (await page.waitForSelector(selector, { timeout: 30_000 })),
    click: (selector) => page.click(selector),
    async drag(selector, points) {
      const box = await page.locator(selector).boundingBox();
      if (box === null) throw new Error(`${selector} is not visible`);
      for (const [i, [x, y]] of points.entries()) {
        await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 3 });
        if (i === 0) await page.mouse.down();
      }
      await page.mouse.up();
    },
    resize: (width, height) => page.setViewportSize({ width, height }),
    upload: (selector, ...paths) => page.setInputFiles(selector, paths),
    screenshot: async (path) => void (await page.screenshot({ path })),
  };
}

export async function startFirefox(executablePath: string): Promise<Driver> {
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true, timeout: 120_000 });
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  const errors: string[] = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  return {
    errors,
    async open(url) {
      await page.goto('about:blank');
      await page.goto(url);
    },
    evaluate: <T>(expression: string) => page.evaluate(expression) as Promise<T>,
    waitFor: async (selector) => void (await page.waitForSelector(selector, { timeout: 30_000 })),
    click: (selector) => page.click(selector),
    async drag(selector, points) {
      const element = await page.$(selector);
      const box = await element?.boundingBox();
      if (!box) throw new Error(`${selector} is not visible`);
      for (const [i, [x, y]] of points.entries()) {
        await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 3 });
        if (i === 0) await page.mouse.down();
      }
      await page.mouse.up();
    },
    resize: (width, height) => page.setViewport({ width, height }),
    async upload(selector, ...paths) {
      const input = await page.$(selector);
      await (input as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(...paths);
    },
    screenshot: async (path) => void (await page.screenshot({ path: path as `${string}.png` })),
    close: () => browser.close(),
  };
}

/** Those that tests run in; without a path it is not installed. */
export const browsers = [
  {
    name: 'Chromium',
    start: startChromium,
    path: findBrowser('NM_CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome']),
  },
  { name: 'Firefox', start: startFirefox, path: findBrowser('NM_FIREFOX', ['firefox-esr', 'firefox']) },
] as const;
