// Calls a Lambda handler as the platform does: with what came by HTTP as an event of the payload format 2.0, one after the
// other. Without an emulator the handler is called in this process.
//   node lambda-events.mjs HANDLER [EMULATOR PORT PORT]
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [path, emulator, port, runtimePort] = process.argv.slice(2);
const { handler } = emulator === undefined ? await import(pathToFileURL(path).href) : emulated();
let before = Promise.resolve();

function emulated() {
  const runtime = [process.execPath, fileURLToPath(new URL('lambda-runtime.mjs', import.meta.url)), path];
  const addresses = { 'runtime-interface-emulator': port, 'runtime-api': runtimePort };
  const options = Object.entries(addresses).map(([name, own]) => `--${name}-address=127.0.0.1:${own}`);
  spawn(emulator, [...options, ...runtime], { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}/2015-03-31/functions/function/invocations`;
  return {
    async handler(event) {
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(event) });
      return response.json();
    },
  };
}

const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const event = {
    version: '2.0',
    rawPath: request.url,
    requestContext: { http: { method: request.method, path: request.url, protocol: 'HTTP/1.1' } },
    headers: request.headers,
    body: Buffer.concat(pieces).toString('base64'),
    isBase64Encoded: true,
  };
  before = before.then(() => handler(event, {}));
  const { statusCode, headers, body } = await before;
  response.writeHead(statusCode, headers).end(body);
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
