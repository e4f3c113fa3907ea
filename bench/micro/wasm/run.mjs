// The micro-benchmarks in a worker of a browser's page:
//   node run.mjs chromium|firefox|webkit FOLDER [NAME…]    FOLDER has nm_micro.js and nm_micro.wasm
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../../peers/browser.mjs';

const [browserName, folder, ...names] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const browser = await openBrowser(browserName, '/page.mjs', (path) =>
  join(path.startsWith('/nm_micro') ? folder : here, path),
);
try {
  const lines = await browser.inFreshPage(names);
  console.log([browser.name, ...lines].join('\n'));
} finally {
  browser.close();
}
