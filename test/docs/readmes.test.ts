import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WORKSPACES = globSync('{packages,services}/*/package.json', { cwd: ROOT }).map((path) =>
  path.slice(0, -'/package.json'.length),
);
const EXAMPLE = /^```js\n(.*?)^```\n+```text\n(.*?)^```/gms;

const pageOf = (workspace: string): string => join(ROOT, workspace, 'README.md');

/** Programs of the READMEs, each with what stands below it as its output. */
const examples = WORKSPACES.filter((workspace) => existsSync(pageOf(workspace))).flatMap(
  (workspace) =>
    [...readFileSync(pageOf(workspace), 'utf8').matchAll(EXAMPLE)].map(
      ([, program, output]) => [workspace, program!, output!] as const,
    ),
);

test.each(WORKSPACES)('%s has a README that says where its tests are', (workspace) => {
  // That of the SDK is for its users.
  const says = workspace === 'packages/sdk' ? 'npm install' : `npx vitest run ${workspace}`;
  expect(readFileSync(pageOf(workspace), 'utf8')).toContain(says);
});

test.each(examples)('the example of %s does what it says', (_workspace, program, output) => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module'], {
    cwd: ROOT,
    input: program,
    encoding: 'utf8',
  });
  expect(stdout + stderr).toBe(output);
});

test('most packages have one', () => expect(examples.length).toBeGreaterThanOrEqual(6));
