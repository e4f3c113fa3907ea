// For hosts whose handlers take a Request and give a Response.
import { service, tooLarge } from './answer.js';

export async function fetchHandler(bundle) {
  const answer = await service(bundle);
  return async (request) => {
    const { status, body } = await answer({
      method: request.method,
      type: request.headers.get('content-type'),
      read: (most) => readBody(request, most),
    });
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  };
}

/** Stops reading where there is more than that. */
async function readBody(request, most) {
  const bytes = new Uint8Array(most);
  let length = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return bytes.slice(0, length);
    if (length + value.length > most) {
      // Not waited for: where a host has split the stream, that would wait for the other half.
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    bytes.set(value, length);
    length += value.length;
  }
}
