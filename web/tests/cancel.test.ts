// Runs that would never end, on the real engine: cancelled, released and limited.
import { afterEach, describe, expect, test } from 'vitest';
import { NeuromancerError, type Profile, Session, Tensor } from '../dist/index.js';
import { modelOf } from './onnx-writer.js';
import { built, places } from './places.js';
import { loopFeeds, loopInputs, sineLoop } from './sine-loop.js';

/** y = x after `rounds` rounds of a sine. */
const loop = modelOf([sineLoop('x')], { ...loopInputs, x: 'float32' }, { y: 'float32' });

const feeds = (rounds: bigint) => ({ ...loopFeeds(rounds), x: new Tensor('float32', [0.5]) });
const forEver = feeds(2n ** 62n);

describe.each(places)('$name', ({ options }) => {
  const skip = !built(options.artefact);
  const inWorker = 'worker' in options;
  const sessions: Session[] = [];
  const open = async (more = {}) => {
    const session = await Session.load(loop, { ...options, ...more });
    sessions.push(session);
    return session;
  };
  const works = async (session: Session) => {
    const { y } = await session.run(feeds(2n));
    expect(y?.toFloat32()[0]).toBeCloseTo(Math.sin(Math.sin(0.5)), 5);
  };
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.release()));
  });

  /** From the signal to the rejection, in milliseconds. */
  async function cancelAfter(session: Session, delay: number): Promise<number> {
    const controller = new AbortController();
    const outcome = session.run(forEver, { signal: controller.signal }).catch((e: unknown) => e);
    let aborted = 0;
    const abort = () => {
      aborted = performance.now();
      controller.abort('enough');
    };
    if (delay < 0) abort();
    else setTimeout(abort, delay);
    const error = await outcome;
    const took = performance.now() - aborted;
    expect(error).toBeInstanceOf(NeuromancerError);
    expect(error).toMatchObject({ code: 'cancelled', name: 'AbortError', cause: 'enough' });
    return took;
  }

  test.skipIf(skip)(
    'an endless loop is cancelled within 50 ms, whenever the signal comes, and the session goes on',
    async () => {
      const session = await open();
      const times: number[] = [];
      for (const delay of [-1, 0, 1, 5, 20, 100]) {
        times.push(await cancelAfter(session, delay));
        await works(session);
      }
      // The middle one: a machine that is busy with other things may be late once.
      expect(times.sort((a, b) => a - b)[times.length >> 1]).toBeLessThan(50);
    },
  );

  test.skipIf(skip)('calls that wait behind a cancelled run come to their own results', async () => {
    const session = await open();
    const signal = AbortSignal.timeout(50);
    const endless = session.run(forEver, { signal }).catch((e: unknown) => e);
    const [first, second] = [session.run(feeds(0n)), session.run(feeds(1n))];
    expect(await endless).toMatchObject({ code: 'cancelled' });
    expect((await first).y?.toFloat32()[0]).toBe(0.5);
    expect((await second).y?.toFloat32()[0]).toBeCloseTo(Math.sin(0.5), 5);
  });

  test.skipIf(skip || !inWorker)('an endless loop does not keep release from returning', async () => {
    const session = await open();
    const outcome = session.run(forEver).catch((e: unknown) => e);
    const start = performance.now();
    await session.release();
    expect(performance.now() - start).toBeLessThan(2500);
    expect(await outcome).toMatchObject({ code: 'session_closed' });
  });

  test.skipIf(skip)('a limit on rounds ends it, and says which', async () => {
    const session = await open({ limits: { rounds: 100 } });
    await works(session);
    await expect(session.run(forEver)).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: expect.stringContaining('rounds'),
    });
    await works(session);
  });

  test.skipIf(skip)('a limit on nodes refuses the model', async () => {
    await expect(Session.load(loop, { ...options, limits: { nodes: 1 } })).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: expect.stringContaining('nodes'),
    });
    await works(await open({ limits: { nodes: Number.POSITIVE_INFINITY } }));
  });

  test.skipIf(skip)('the profile of a run with a loop has one time for each step', async () => {
    const session = await open();
    let profile: Profile | undefined;
    await session.run(feeds(1000n), { profile: (p) => (profile = p) });
    expect(profile?.steps.length).toBe((await session.steps()).length);
    const sum = profile?.steps.reduce((total, { milliseconds }) => total + milliseconds, 0) ?? 0;
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual((profile?.milliseconds ?? 0) + 0.001);
  });
});
