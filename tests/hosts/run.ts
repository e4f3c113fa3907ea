// Starts each host with its example of demo/edge, posts the same pictures and compares the answers with the model's own:
//   node run.ts [--all] [NAME…]      the hosts of the gate; all of them; those whose names contain one of these;
// the programs of demo/embed, the command line program as a WASI command, and what deploying would upload
import { deepStrictEqual } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandHosts, testCommand } from './commands.ts';
import { type Embed, embeds } from './embeds.ts';
import { type Host, hosts } from './hosts.ts';
import { Missing } from './missing.ts';
import { bytes, type Post, posts } from './pictures.ts';
import { prepareProject, work } from './project.ts';
import { type Answer, makeReference } from './reference.ts';
import type { Server } from './shell.ts';
import { testWrangler } from './uploads.ts';

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false } },
});

/** What came back: the status and the object. */
async function ask(server: Server, post: Post): Promise<[number, unknown]> {
  if (server.ask !== undefined) return server.ask(post);
  const { method = 'POST', type, body } = post;
  const response = await fetch(server.url, {
    method,
    headers: type === undefined ? {} : { 'content-type': type },
    body: body ?? null,
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  try {
    return [response.status, JSON.parse(text)];
  } catch {
    throw new Error(`answered ${response.status} and no JSON: ${text.slice(0, 300)}`);
  }
}

type Expected = ReadonlyMap<Post, Answer>;

/** `got` with the numbers of `wanted` where they are the same to six digits. */
function rounded(got: unknown, wanted: unknown): unknown {
  if (typeof got === 'number' && typeof wanted === 'number') return Math.abs(got - wanted) < 1e-6 ? wanted : got;
  if (typeof got !== 'object' || got === null || typeof wanted !== 'object') return got;
  const pairs = Object.entries(got).map(([key, value]) => [key, rounded(value, Reflect.get(wanted ?? {}, key))]);
  return Array.isArray(got) ? pairs.map(([, value]) => value) : Object.fromEntries(pairs);
}

/** What is wrong with an answer, or nothing. */
function judge(host: Host, post: Post, [status, body]: [number, unknown], expected: Expected): string {
  const said = `${status} ${JSON.stringify(body)}`;
  if (status !== post.status) return `${post.name}: ${said} where ${post.status} was expected`;
  const answer = expected.get(post);
  if (answer !== undefined) {
    try {
      deepStrictEqual(host.rounded ? rounded(body, answer) : body, answer);
    } catch {
      return `${post.name}: ${said} where ${JSON.stringify(answer)} was expected`;
    }
    return '';
  }
  const { error } = body as { error?: { code?: string; message?: string } };
  const named = typeof error?.code === 'string' && (error.message ?? '').includes(post.message ?? '');
  return named && error.message !== ''
    ? ''
    : `${post.name}: ${said} where a sentence with "${post.message ?? ''}" was expected`;
}

async function test(host: Host, project: string, expected: Expected): Promise<string[]> {
  const server = await host.start(project);
  try {
    const wrong: string[] = [];
    for (const post of posts) wrong.push(judge(host, post, await ask(server, post), expected));
    // And many at once, which share one session.
    const good = posts.filter(({ status }) => status === 200);
    const many = Array.from({ length: 24 }, (_, i) => good[i % good.length] as Post);
    const answers = await Promise.all(many.map((post) => ask(server, post)));
    answers.forEach((answer, i) => {
      wrong.push(judge(host, many[i] as Post, answer, expected));
    });
    const [status, description] = await ask(server, { name: 'description', method: 'GET', status: 200 });
    const { inputs } = description as { inputs?: readonly { name: string }[] };
    if (status !== 200 || inputs?.[0]?.name !== 'image') wrong.push(`description: ${JSON.stringify(description)}`);
    return wrong.filter((why) => why !== '');
  } catch (error) {
    throw new Error(`${(error as Error).message}; the host said: ${server.said().slice(-1000)}`, { cause: error });
  } finally {
    server.close();
  }
}

/** The programs of other languages read raw bytes. */
async function testEmbed(embed: Embed, project: string): Promise<string[]> {
  const wrong: string[] = [];
  const classify = await embed.build(project);
  for (const sign of ['3', '7', 'L'] as const) {
    const body = bytes(sign);
    const picture = join(work, `${sign}.gray`);
    writeFileSync(picture, body);
    const printed = (await classify(picture)).trim();
    const { probability } = await reference({ name: sign, type: 'application/octet-stream', body, status: 200 });
    const right = `${sign} ${probability.toFixed(4)}`;
    if (printed !== right) wrong.push(`${printed} where ${right} was expected`);
  }
  return wrong;
}

type Named = { readonly name: string; readonly gate?: boolean };
const asked = ({ name, gate = false }: Named) =>
  names.length > 0 ? names.some((part) => name.toLowerCase().includes(part.toLowerCase())) : options.all || gate;
const counts = { passed: 0, failed: 0, skipped: 0 };
function tell(outcome: keyof typeof counts, name: string, why = ''): void {
  counts[outcome] += 1;
  console.log(`${(outcome === 'failed' ? 'FAILED' : outcome).padEnd(7)} ${name}${why && `: ${why}`}`);
}

mkdirSync(work, { recursive: true });
const project = await prepareProject();
const reference = await makeReference(project);
const expected = new Map<Post, Answer>();
for (const post of posts.filter(({ status }) => status === 200)) {
  const answer = await reference(post);
  expected.set(post, answer);
  if (post.sign !== undefined && answer.sign !== post.sign) {
    tell('failed', 'the model itself', `${post.name}: read as ${answer.sign} where ${post.sign} is drawn`);
  }
}
const tests = [
  ...hosts.filter(asked).map((host) => ({ name: host.name, test: () => test(host, project, expected) })),
  ...embeds.filter(asked).map((embed) => ({ name: embed.name, test: () => testEmbed(embed, project) })),
  ...commandHosts.filter(asked).map((host) => ({ name: host.name, test: () => testCommand(host) })),
  ...[{ name: 'wrangler deploy --dry-run', test: () => testWrangler(project) }].filter(asked),
];
for (const { name, test } of tests) {
  const start = performance.now();
  try {
    const wrong = await test();
    const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s`;
    tell(wrong.length === 0 ? 'passed' : 'failed', name, wrong.length === 0 ? seconds : wrong.join('; '));
  } catch (error) {
    tell(error instanceof Missing ? 'skipped' : 'failed', name, (error as Error).message);
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || tests.length === 0 ? 1 : 0;
