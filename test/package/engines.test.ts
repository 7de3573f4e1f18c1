import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
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

it('no package is deprecated, of which npm would warn too', () => {
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  expect(lock).not.toContain('"deprecated":');
});

/** Who wants a newer Node. None of them runs on that of npm: see `.npmrc`. */
const WANT_NEWER = ['@nats-io/nuid', 'content-disposition', 'cookie', 'uWebSockets.js', 'vitest'];
/** Some versions of npm say the name that a package has at home. */
const ALIASES: Readonly<Record<string, string>> = { 'uws-pack': 'uWebSockets.js' };
/** Newer ones also ask whether esbuild may run its install script, which it can do without. */
const EXPECTED = /^npm warn (?:EBADENGINE|install-scripts) ?/;

/** What npm says at an install, without one. */
async function says(...flags: string[]): Promise<{ stdout: string; stderr: string }> {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const env = { ...Object.fromEntries(own), PATH: `${dirname(OLD!)}${delimiter}${PATH}` };
  return run('npm', ['ci', '--dry-run', ...flags], { cwd: ROOT, env });
}

describe.skipIf(OLD === undefined)('installing with Node 20 (needs one on the PATH)', () => {
  it('warns of nothing', { timeout: 60_000 }, async () => {
    const { stdout, stderr } = await says();
    expect(stderr).toBe('');
    expect(stdout).not.toContain('warn');
  });

  it('has nothing to warn of but packages for a newer Node', { timeout: 60_000 }, async () => {
    const { stderr } = await says('--loglevel=warn');
    const warnings = stderr.split('\n').filter((line) => line.startsWith('npm warn '));
    const named = warnings.map((line) => /EBADENGINE +package: '(.+)@[^@]+'/.exec(line)?.[1]);
    const packages = named.filter((name) => name !== undefined);
    expect(packages.map((name) => ALIASES[name] ?? name).toSorted()).toEqual(WANT_NEWER);
    expect(warnings.filter((line) => !EXPECTED.test(line))).toEqual([]);
  });
});
