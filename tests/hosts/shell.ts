// Commands and servers in processes of their own.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Post } from './pictures.ts';

export async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  { timeout = 300_000 } = {},
): Promise<string> {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, env, timeout });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${`${stdout}${stderr}`.trim() || error}`);
  }
}

export interface Server {
  readonly url: string;
  readonly pid?: number | undefined;
  /** Everything that the process has printed. */
  said(): string;
  close(): void;
  /** What comes back for a post, where it is not asked for at the address. */
  ask?(post: Post): Promise<[number, unknown]>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach(killGroup));

function killGroup(server: ChildProcess): void {
  if (running.delete(server) && server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
}

/** Starts a server, which prints its address, or the port as JSON as workerd does. */
export function startServer(
  program: string,
  args: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const env = { ...process.env, NO_COLOR: '1', PORT: '0', ...variables };
  // A group of its own, since some servers start others.
  const server = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  running.add(server);
  server.on('exit', () => running.delete(server));
  const kill = () => killGroup(server);
  let text = '';
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      kill();
      reject(new Error(`${program} printed no address: ${text}`));
    }, 30_000);
    const hear = (piece: unknown) => {
      text += String(piece);
      const found = /(?:http:\/\/|listening @ )[^\s"]*:(\d+)|"port":(\d+)/.exec(text);
      if (found === null) return;
      clearTimeout(late);
      resolve({
        url: `http://127.0.0.1:${found[1] ?? found[2]}/`,
        pid: server.pid,
        said: () => text,
        close: kill,
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
