// Calls a Lambda handler as the platform does: with what came by HTTP as an event of the payload format 2.0, one after the
// other.
//   node lambda-events.mjs HANDLER
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const { handler } = await import(pathToFileURL(process.argv[2]).href);
let before = Promise.resolve();

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
