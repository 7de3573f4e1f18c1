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
endWithNpm();
process.argv = [process.argv[0], main, ...rest];
await import(pathToFileURL(main).href);
