import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ROOT } from './npm.ts';

const run = promisify(execFile);

/** The machine's own programs: not those of node_modules, where the pinned Node is. */
const PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);

/** A Node that packages of ours say they do not run on, with its npm. */
function oldNode(): string | undefined {
  for (const folder of PATH.split(delimiter)) {
    const node = join(folder, 'node');
    if (!existsSync(node) || !existsSync(join(folder, 'npm'))) continue;
    const major = Number(execFileSync(node, ['-p', 'parseInt(process.versions.node)']).toString());
    return major < 22 ? node : undefined;
  }
  return undefined;
}

const OLD = oldNode();

it.skipIf(OLD === undefined)(
  'installing with Node 20 warns of nothing (needs a Node 20 on the PATH)',
  async () => {
    const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
    const env = { ...Object.fromEntries(own), PATH: `${dirname(OLD!)}${delimiter}${PATH}` };
    const { stdout, stderr } = await run('npm', ['ci', '--dry-run'], { cwd: ROOT, env });
    expect(stderr).toBe('');
    expect(stdout).not.toContain('warn');
  },
  60_000,
);
