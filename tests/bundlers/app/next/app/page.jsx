// A server component: reads the digit before the page is sent.
import { readFile } from 'node:fs/promises';
import { classifyInAllModes } from '../classify.js';
import Reader from './reader.jsx';

export const dynamic = 'force-dynamic';

export default async function Page() {
  const ink = JSON.parse(await readFile('public/digit.json', 'utf8'));
  const modes = { server: {}, 'server, worker': { worker: true } };
  return <Reader onServer={await classifyInAllModes(await readFile('public/handwriting.onnx'), ink, modes)} />;
}
