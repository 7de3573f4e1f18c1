import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Servers are here in Debian, and an ordinary user's PATH leaves it out. */
const SYSTEM = '/usr/sbin';

/** The path of the first of these programs that the machine has, on the PATH or in /usr/sbin. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), SYSTEM];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
