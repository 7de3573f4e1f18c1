import { startProcess } from '@trunkline/testing';
import { expect, test } from 'vitest';
import { FREE_PORTS, ROOT } from './npm-start.ts';

const SERVICES = ['edge', 'negotiate', 'chat'].map(
  (name) => [name, [`services/${name}/dist/main.js`, '--dev'], `"${name} listening"`] as const,
);

test.each([
  ...SERVICES,
  [
    'what npm start starts',
    ['scripts/bootstrap.mjs', 'start'],
    'Ctrl-C stops everything.',
  ] as const,
  ['what that starts', ['scripts/start.ts'], 'Ctrl-C stops everything.'] as const,
])(
  'SIGUSR1 and SIGUSR2 neither open a debugger in %s nor end it',
  async (_name, args, ready) => {
    await using running = await startProcess(process.execPath, args, {
      cwd: ROOT,
      env: FREE_PORTS,
      ready: (line) => line.includes(ready),
      readyTimeout: 60_000,
    });
    running.child.kill('SIGUSR1');
    running.child.kill('SIGUSR2');
    // Signals are taken in their order: these have had their effect when it heeds the last.
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    expect(running.output()).not.toContain('Debugger listening');
  },
  90_000,
);
