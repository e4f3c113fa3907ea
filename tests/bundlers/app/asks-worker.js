// In a page that leaves the work to a worker of its own, which the page's address names: ?kind=dedicated.
const kind = new URLSearchParams(location.search).get('kind');
const results = ({ data }) => {
  globalThis.results = data;
};

if (kind === 'dedicated') {
  const worker = new Worker('in-worker.js', { type: 'module' });
  worker.onmessage = results;
  worker.postMessage('begin');
} else if (kind === 'shared') {
  const { port } = new SharedWorker('in-worker.js', { type: 'module' });
  port.onmessage = results;
} else {
  const registration = await navigator.serviceWorker.register('in-worker.js', { type: 'module' });
  await navigator.serviceWorker.ready;
  navigator.serviceWorker.onmessage = results;
  navigator.serviceWorker.startMessages();
  registration.active.postMessage('begin');
}
