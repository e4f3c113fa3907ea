// Starts workerd, asks it once and prints the answer.
import { spawn } from 'node:child_process';

const isolate = spawn(process.argv[2], ['serve', 'isolate.capnp', '--control-fd=1'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
for await (const line of isolate.stdout) {
  const { event, port } = JSON.parse(String(line).split('\n')[0]);
  if (event !== 'listen') continue;
  console.log(await (await fetch(`http://127.0.0.1:${port}/`)).text());
  isolate.kill();
  break;
}
