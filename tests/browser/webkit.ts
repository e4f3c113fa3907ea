// WebKit, the engine of Safari, as Debian has it: GTK's MiniBrowser, driven over WebDriver. It needs a display.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { browsers, findBrowser, type PageDriver } from './drivers.ts';

/** How long the driver may take to listen. */
const startMilliseconds = 60_000;
/** How long a page may take for what it is asked. */
const scriptMilliseconds = 300_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** `driver` is WebKitWebDriver, which knows its browser. */
export async function startWebKit(driver: string): Promise<PageDriver> {
  const port = await freePort();
  const env = {
    ...process.env,
    // Its sandbox wants a user's namespaces, which root in a container has none of.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    // Isolated pages have shared memory in Safari; GTK's WebKit wants to be asked.
    JSC_useSharedArrayBuffer: '1',
  };
  const program = process.env.DISPLAY === undefined ? ['xvfb-run', '-a', driver] : [driver];
  const [command = driver, ...args] = [...program, `--port=${port}`];
  // A group of its own, so that the display ends with it.
  const started = spawn(command, args, { env, stdio: 'ignore', detached: true });
  const stop = () => void (started.pid && process.kill(-started.pid));

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: T & { message?: string } };
    if (!response.ok) throw new Error(`WebKit: ${value.message}`);
    return value;
  }

  try {
    const end = Date.now() + startMilliseconds;
    while (!(await call('GET', '/status').then(Boolean, () => false))) {
      if (Date.now() > end) throw new Error(`${command} ${args.join(' ')} does not listen`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const capabilities = { alwaysMatch: { timeouts: { script: scriptMilliseconds } } };
    const { sessionId } = await call<{ sessionId: string }>('POST', '/session', { capabilities });
    const session = `/session/${sessionId}`;
    return {
      // WebDriver does not tell what a page wrote to its console.
      errors: [],
      open: (url) => call('POST', `${session}/url`, { url }),
      async evaluate<T>(expression: string): Promise<T> {
        const script = `Promise.resolve(${expression}).then((value) => ({ value }), (error) => ({ error: String(error) })).then(arguments[0]);`;
        const body = { script, args: [] };
        const { value, error } = await call<{ value: T; error?: string }>('POST', `${session}/execute/async`, body);
        if (error !== undefined) throw new Error(error);
        return value;
      },
      async close() {
        await call('DELETE', session).catch(() => {});
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** The browsers that can open and ask pages. */
export const pageBrowsers = [
  ...browsers,
  { name: 'WebKit', start: startWebKit, path: findBrowser('NM_WEBKIT', ['WebKitWebDriver']) },
] as const;
