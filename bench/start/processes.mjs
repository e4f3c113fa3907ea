// Hosts of demo/edge from the start of their process to the first answer, milliseconds of the clock.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hosts } from '../../tests/hosts/hosts.ts';
import { workerd } from '../../tests/hosts/packages.ts';
import { esbuild, prepareProject, root } from '../../tests/hosts/project.ts';
import { startServer } from '../../tests/hosts/shell.ts';
import { files } from './subjects.mjs';

const picture = readFileSync(join(root, 'demo', 'embed', 'three.gray'));
const octets = { 'content-type': 'application/octet-stream' };

/** Of a started server: the time from before its start. */
async function answered(start) {
  const before = performance.now();
  const server = await start();
  const response = await fetch(server.url, { method: 'POST', body: picture, headers: octets });
  await response.text();
  const time = performance.now() - before;
  server.close();
  if (!response.ok) throw new Error(`the answer was ${response.status}`);
  return time;
}

/** The subjects, by name: each gives one time. */
export async function processes() {
  const project = await prepareProject();
  const cloudflare = join(project, 'cloudflare');
  // Builds the worker.
  (await hosts.find(({ name }) => name.includes('workerd')).start(project)).close();
  const binary = await workerd();
  const hello = join(cloudflare, 'hello.capnp');
  writeFileSync(join(cloudflare, 'hello.js'), "export default { fetch: () => new Response('hello') };");
  const config = readFileSync(join(cloudflare, 'workerd.capnp'), 'utf8');
  writeFileSync(hello, config.replace('build/worker.js', 'hello.js').replace(/.*digits\.wasm.*\n/, ''));
  const serve = (file) =>
    startServer(binary, ['serve', file, '--socket-addr=http=127.0.0.1:0', '--control-fd=1'], cloudflare);
  // As one file, which is what is deployed where a start is dear.
  const minified = ['--format=esm', '--platform=node', '--minify', '--outfile=lambda-minified/index.mjs'];
  await esbuild(project, ['lambda/index.mjs', ...minified], project);
  const withReduced = existsSync(files.reducedBundle);
  if (withReduced) {
    cpSync(files.reducedBundle, join(project, 'reduced', 'digits.wasm'));
    cpSync(join(project, 'lambda-minified'), join(project, 'reduced', 'lambda'), { recursive: true });
    cpSync(files.reducedBundle, join(cloudflare, 'build', 'reduced.wasm'));
    writeFileSync(join(cloudflare, 'reduced.capnp'), config.replace('"build/digits.wasm"', '"build/reduced.wasm"'));
  }
  const event = {
    requestContext: { http: { method: 'POST' } },
    headers: octets,
    body: picture.toString('base64'),
    isBase64Encoded: true,
  };
  const answer = (folder) => `import(${JSON.stringify(join(project, folder, 'index.mjs'))})
    .then(({ handler }) => handler(${JSON.stringify(event)}))
    .then(({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1));`;
  const node = (script) => {
    const before = performance.now();
    execFileSync(process.execPath, ['-e', script]);
    return performance.now() - before;
  };
  return {
    'workerd, a worker that says hello': () => answered(() => serve('hello.capnp')),
    'workerd, a classified picture': () => answered(() => serve('workerd.capnp')),
    ...(withReduced && { 'the same, a reduced bundle': () => answered(() => serve('reduced.capnp')) }),
    'node -e 0': () => node('0'),
    'Node, the Lambda handler': () => node(answer('lambda')),
    'Node, the Lambda handler as one file': () => node(answer('lambda-minified')),
    ...(withReduced && { 'the same with a reduced bundle': () => node(answer('reduced/lambda')) }),
  };
}
