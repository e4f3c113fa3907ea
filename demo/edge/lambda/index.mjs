// For function URLs and HTTP APIs (payload format 2.0), in the Node runtime.
import { service, tooLarge } from '../shared/answer.js';

const answer = await service(new URL('../digits.wasm', import.meta.url));

export async function handler({ requestContext, headers, body = '', isBase64Encoded }) {
  const { status, body: result } = await answer({
    method: requestContext.http.method,
    type: headers['content-type'],
    async read(most) {
      const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
      if (bytes.length > most) throw tooLarge();
      return new Uint8Array(bytes);
    },
  });
  return { statusCode: status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(result) };
}
