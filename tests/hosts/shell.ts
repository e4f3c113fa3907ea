// Commands and servers in processes of their own.
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Post } from './pictures.ts';

export async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, env, timeout: 300_000 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${`${stdout}${stderr}`.trim() || error}`);
  }
}

export interface Server {
  readonly url: string;
  /** Everything that the process has printed. */
  said(): string;
  close(): void;
  /** What comes back for a post, where it is not asked for at the address. */
  ask?(post: Post): Promise<[number, unknown]>;
}

/** Starts a server, which prints its address, or the port as JSON as workerd does. */
export function startServer(
  program: string,
  args: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const env = { ...process.env, NO_COLOR: '1', PORT: '0', ...variables };
  const server = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      server.kill();
      reject(new Error(`${program} printed no address: ${text}`));
    }, 30_000);
    const hear = (piece: unknown) => {
      text += String(piece);
      const found = /http:\/\/[^\s"]*:(\d+)|"port":(\d+)/.exec(text);
      if (found === null) return;
      clearTimeout(late);
      resolve({
        url: `http://127.0.0.1:${found[1] ?? found[2]}/`,
        said: () => text,
        close: () => void server.kill('SIGKILL'),
      });
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    server.on('error', reject);
    server.on('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`${program} ended with ${code}: ${text}`));
    });
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
