// The script of a thread of a session that runs in the page itself.
import { parentPort } from './host-worker.js';
import { becomeThread } from './thread-role.js';
import type { ThreadStart } from './threads.js';

const parent = parentPort();
parent.onMessage((message) => becomeThread(message as ThreadStart, parent));
