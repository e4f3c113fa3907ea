import { createServer } from 'node:http';

/** Serves what `answer` gives for a path and the bytes posted to it, as JSON, and prints the address. */
export function serve(answer) {
  const server = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = await answer(request.url, new Uint8Array(Buffer.concat(pieces)));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
}
