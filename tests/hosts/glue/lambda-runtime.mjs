// A custom runtime of AWS Lambda for Node: asks the platform for events and answers with what the handler returns.
//   node lambda-runtime.mjs HANDLER
import { pathToFileURL } from 'node:url';

const invocations = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const { handler } = await import(pathToFileURL(process.argv[2]).href);

for (;;) {
  const next = await fetch(`${invocations}/next`);
  const id = next.headers.get('lambda-runtime-aws-request-id');
  const answer = await handler(await next.json(), {});
  await fetch(`${invocations}/${id}/response`, { method: 'POST', body: JSON.stringify(answer) });
}
