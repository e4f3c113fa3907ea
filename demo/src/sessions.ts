import { type EngineInfo, Session, type Source } from 'neuromancer';
import type { Notice } from './notice.ts';

/** Told which engine the last loaded model runs on. */
export const engineEvents = new EventTarget();

/** Loads a model into a worker of its own, with progress on the notice. Errors are the caller's to show. */
export async function openSession(
  title: string,
  source: Source,
  notice: Notice,
  signal: AbortSignal,
  externalData: Readonly<Record<string, Source>> = {},
): Promise<Session> {
  notice.progress(`Loading ${title}`);
  const session = await Session.load(source, {
    worker: true,
    signal,
    externalData,
    onProgress: ({ phase, loaded, total }) =>
      phase === 'model' ? notice.progress(`Loading ${title}`, loaded, total) : notice.progress(`Preparing ${title}`),
  });
  notice.clear();
  engineEvents.dispatchEvent(new CustomEvent<EngineInfo>('engine', { detail: session.engine }));
  return session;
}

/** "relaxed SIMD · 2 threads" */
export function describeEngine({ artefact, threads }: EngineInfo): string {
  const simd = /relaxed|64/.test(artefact) ? 'relaxed SIMD' : 'SIMD';
  return `${simd} · ${threads === 1 ? '1 thread' : `${threads} threads`}`;
}
