import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { ROOT } from './npm-start.ts';

/** What git does not keep. */
const NOT_CLONED = new Set(['node_modules', 'dist', '.git', 'test-results', 'coverage']);

/**
 * The repository as somebody has it who has cloned it and installed its packages: nothing is built.
 * Its own packages are linked as npm links them, those of others are the ones of this repository.
 */
export function copyAfresh(folder: string): void {
  cpSync(ROOT, folder, {
    recursive: true,
    filter: (path) => !NOT_CLONED.has(basename(path)) && !path.endsWith('.tsbuildinfo'),
  });
  for (const part of ['', ...workspaces()]) linkPackages(part, folder);
}

function workspaces(): string[] {
  return ['packages', 'services'].flatMap((kind) =>
    readdirSync(join(ROOT, kind)).map((name) => join(kind, name)),
  );
}

function linkPackages(part: string, folder: string): void {
  const [from, to] = [ROOT, folder].map((root) => join(root, part, 'node_modules'));
  if (from === undefined || to === undefined || !existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== '@trunkline') symlinkSync(join(from, name), join(to, name));
  }
  if (part !== '') return;
  const own = join(to, '@trunkline');
  mkdirSync(own);
  for (const workspace of workspaces()) {
    symlinkSync(relative(own, join(folder, workspace)), join(own, basename(workspace)));
  }
}
