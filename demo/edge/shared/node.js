// For hosts whose handlers take Node's request and response.
import { service, tooLarge } from './answer.js';

export async function nodeHandler(bundle) {
  const answer = await service(bundle);
  return async (request, response) => {
    const { status, body } = await answer({
      method: request.method,
      type: request.headers['content-type'],
      read: (most) => readBody(request, most),
    });
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
}

/** Goes on reading where there is more than that, so that the client hears the answer, but keeps none of it. */
async function readBody(request, most) {
  // Some frameworks have read the body already.
  const pieces = request.rawBody === undefined ? request : [request.rawBody];
  const kept = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length <= most) kept.push(piece);
  }
  if (length > most) throw tooLarge();
  return new Uint8Array(Buffer.concat(kept));
}
