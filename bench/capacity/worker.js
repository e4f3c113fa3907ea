// In workerd.
import { env } from 'cloudflare:workers';
import { Session } from 'neuromancer';
import model from './digits.nm';
import { resident } from './resident.mjs';

const answer = await resident(() => Session.load(model, { shared: env.MEMORY === 'shared' }), Number(env.COUNT));

export default {
  async fetch(request) {
    return Response.json(await answer(new URL(request.url).pathname, new Uint8Array(await request.arrayBuffer())));
  },
};
