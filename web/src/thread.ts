// The script of a thread of a session that runs in the page itself.

import { becomeThread } from './engine/thread-role.js';
import type { ThreadStart } from './engine/threads.js';
import { parentPort } from './host/host-worker.js';

const parent = parentPort();
parent.onMessage((message) => becomeThread(message as ThreadStart, parent));
