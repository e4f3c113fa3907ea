// An edge function: the platform compiles what is imported with ?module.
import digits from '../digits.wasm?module';
import { fetchHandler } from '../shared/fetch.js';

export const config = { runtime: 'edge' };

// Edge functions are scripts, in which nothing can be waited for at the top; begun here, it belongs to no request.
const handler = fetchHandler(digits);

export default async function handle(request) {
  return (await handler)(request);
}
