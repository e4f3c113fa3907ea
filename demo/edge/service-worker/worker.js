// Answers POST ./classify of its pages without any server: once installed, offline too.
import { fetchHandler } from '../shared/fetch.js';

/** Another name with every other bundle. */
const name = 'digits-1';
const address = new URL('./digits.wasm', location.href).href;

async function install() {
  const cache = await caches.open(name);
  await cache.add(address);
}

async function activate() {
  const old = (await caches.keys()).filter((other) => other.startsWith('digits-') && other !== name);
  await Promise.all(old.map((other) => caches.delete(other)));
  await clients.claim();
}

let handler;

async function handle(request) {
  handler ??= caches.match(address).then((response) => fetchHandler(response));
  return (await handler)(request);
}

addEventListener('install', (event) => {
  event.waitUntil(install());
  skipWaiting();
});
addEventListener('activate', (event) => event.waitUntil(activate()));
addEventListener('fetch', (event) => {
  if (new URL(event.request.url).pathname.endsWith('/classify')) event.respondWith(handle(event.request));
});
