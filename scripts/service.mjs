// Runs one built service: node scripts/service.mjs <edge|negotiate|chat> [its arguments]

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { endWithNpm } from './end-with-npm.mjs';

const [name, ...rest] = process.argv.slice(2);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'services', name, 'dist', 'main.js');
if (!existsSync(main)) {
  console.error(`trunkline: ${name} is not built yet: run npm ci and npm run build first`);
  process.exit(1);
}
if (name === 'edge') await withEnvironment();
endWithNpm();
process.argv = [process.argv[0], main, ...rest];
await import(pathToFileURL(main).href);

/** Becomes the same process again, with what glibc reads when a process starts. */
async function withEnvironment() {
  if (process.platform !== 'linux') return;
  const foundation = join(root, 'packages', 'foundation', 'dist', 'index.js');
  const { EDGE_ENVIRONMENT } = await import(pathToFileURL(foundation).href);
  if (Object.keys(EDGE_ENVIRONMENT).every((key) => key in process.env)) return;
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // Not in every Node.
  process.execve?.(process.execPath, argv, { ...EDGE_ENVIRONMENT, ...process.env });
}
