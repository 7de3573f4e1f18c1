import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROOT } from './npm-start.ts';

const run = promisify(execFile);
const versionOf = (folder: string): string =>
  (JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as { version: string })
    .version;

describe.each([
  ['trunkline-edge', 'services/edge/dist/main.js', 'services/edge'],
  ['trunkline-negotiate', 'services/negotiate/dist/main.js', 'services/negotiate'],
  ['trunkline-chat', 'services/chat/dist/main.js', 'services/chat'],
  ['trunkline', 'scripts/start.ts', '.'],
  ['trunkline', 'scripts/serverless.ts', '.'],
])('%s', (name, main, folder) => {
  it.each(['--version', '-v'])('says its name and version for %s', async (flag) => {
    const { stdout, stderr } = await run(process.execPath, [main, flag], { cwd: ROOT });
    expect({ stdout, stderr }).toEqual({
      stdout: `${name} ${versionOf(folder)}\n`,
      stderr: '',
    });
  });
});

it.each(['edge', 'negotiate', 'chat'])('%s with --dev keeps to this machine', async (name) => {
  const args = [`services/${name}/dist/main.js`, '--dev', '--host', '0.0.0.0'];
  const refused = run(process.execPath, args, { cwd: ROOT });
  await expect(refused).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: `trunkline-${name}: --dev lets anybody in, and others may reach 0.0.0.0: leave out --dev or --host, or add --dev-public if that is meant\n`,
  });
});
