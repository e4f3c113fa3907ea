// The page's side: cases arrive from chromium.ts, their files over HTTP.
import { type Case, checkCase } from './case.ts';

declare global {
  /** Why each of the cases fails; null for those that pass. */
  var checkCases: (cases: readonly Case[]) => Promise<(string | null)[]>;
}

async function read(path: string): Promise<Uint8Array> {
  const response = await fetch(`/@fs${encodeURI(path)}`);
  if (!response.ok) throw new Error(`${path} is not served (${response.status})`);
  return new Uint8Array(await response.arrayBuffer());
}

globalThis.checkCases = async (cases) => {
  const reasons: (string | null)[] = [];
  for (const given of cases) reasons.push((await checkCase(given, read, {})) ?? null);
  return reasons;
};
