import { readFileSync } from 'node:fs';

/** The version in the `package.json` of a package, asked by a module right in its `src` or `dist`. */
export function packageVersion(moduleUrl: string): string {
  const manifest = new URL('../package.json', moduleUrl);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
