import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** A service that is sent a SIGHUP as it starts, and hears of those that come once it runs. */
const PROGRAM = `
  import { setTimeout } from 'node:timers/promises';
  import { runService } from '${new URL('./run-service.ts', import.meta.url).href}';
  let hear;
  const heard = new Promise((resolve) => (hear = resolve));
  // A port would keep it running.
  setInterval(() => {}, 1000);
  await runService({ name: 'service', version: '1', table: {} }, async () => {
    process.kill(process.pid, 'SIGHUP');
    await setTimeout(100);
    process.on('SIGHUP', hear);
    const failed = heard.then(() => process.stdout.write('heard')).then(() => process.exit(0));
    return { stop: async () => {}, failed };
  });
`;

it('a SIGHUP that comes while a service starts is heard once it runs', () => {
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    ['--conditions=@trunkline/source', '--input-type=module', '--eval', PROGRAM],
    { encoding: 'utf8', timeout: 20_000 },
  );
  expect({ stdout, stderr, status, signal }).toEqual({
    stdout: 'heard',
    stderr: '',
    status: 0,
    signal: null,
  });
});
