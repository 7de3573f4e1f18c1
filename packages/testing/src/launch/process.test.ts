import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { promisify } from 'node:util';

import { describe, expect, it, onTestFinished } from 'vitest';

import { type ProcessOptions, startProcess, type StartedProcess } from './process.ts';

const FOREVER = 'setInterval(() => {}, 1000);';

/** Runs JavaScript in a process of its own. */
function run<T = string>(
  script: string,
  options: ProcessOptions<T> = {},
): Promise<StartedProcess<T>> {
  return startProcess<T>(process.execPath, ['-e', script], { name: 'child', ...options });
}

/**
 * Watches a process that the test does not start itself: `script` makes it connect here, and the
 * connection ends when the process does. (A process id says less: it outlives an unreaped process.)
 */
async function lifeline(): Promise<{ script: string; alive: () => Promise<number> }> {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    script: `require("net").connect(${port}, "127.0.0.1");`,
    alive: () => promisify(server.getConnections.bind(server))(),
  };
}

describe('startProcess', () => {
  it('is ready with the first answer to a line', async () => {
    const child = await run<number>(`console.error('no\\nport 7\\nport 8'); ${FOREVER}`, {
      ready: (line) => line.startsWith('port ') && Number(line.slice(5)),
    });
    await child.stop();
    expect(child.ready).toBe(7);
    expect(child.output()).toBe('no\nport 7\nport 8\n');
  });

  it('changes the environment', async () => {
    const child = await run('console.log(process.env.HOME, process.env.COLOUR)', {
      env: { HOME: undefined, COLOUR: 'red' },
    });
    expect(child.ready).toBe('undefined red');
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it('rejects with the output of a process that ends early', async () => {
    const child = run(`console.error('no such option'); process.exit(3)`, { ready: () => false });
    await expect(child).rejects.toThrow(
      'child ended with code 3 before it was ready\nno such option',
    );
  });

  it('rejects when there is nothing to run', async () => {
    await expect(startProcess('/nowhere/at/all', [], { name: 'ghost' })).rejects.toThrow(
      'ghost could not be started: spawn /nowhere/at/all ENOENT',
    );
  });

  it('kills a process that misses its deadline', async () => {
    const { script, alive } = await lifeline();
    const late = run(`${script} ${FOREVER}`, { ready: () => false, readyTimeout: 1000 });
    await expect(late).rejects.toThrow('child was not ready after 1000 ms');
    await expect.poll(alive).toBe(0);
  });

  it('stops with SIGTERM, once or more', async () => {
    const child = await run(
      `process.on('SIGTERM', () => process.exit(5)); console.log(1); ${FOREVER}`,
    );
    expect(await child.stop()).toEqual({ code: 5, signal: null });
    expect(await child.stop()).toEqual({ code: 5, signal: null });
  });

  it('stops with SIGKILL what does not heed SIGTERM', async () => {
    const child = await run(`process.on('SIGTERM', () => {}); console.log(1); ${FOREVER}`, {
      stopTimeout: 50,
    });
    expect(await child.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('freezes every thread of a process, and thaws and stops it', async () => {
    const child = await run(`
      const { Worker } = require('worker_threads');
      for (let n = 0; n < 8; n++) new Worker('for (;;);', { eval: true });
      process.on('SIGTERM', () => process.exit(5));
      setTimeout(() => console.log(1), 100);`);
    const states = (): string[] => {
      const tasks = `/proc/${child.pid}/task`;
      const status = readdirSync(tasks).map((task) =>
        readFileSync(`${tasks}/${task}/status`, 'utf8'),
      );
      return [...new Set(status.map((text) => /^State:\t(.)/m.exec(text)![1]!))];
    };
    for (let n = 0; n < 10; n++) {
      await child.freeze();
      expect(states()).toEqual(['T']);
      child.thaw();
      await expect.poll(states, { interval: 5 }).toContain('R');
    }
    await child.freeze();
    expect(await child.stop()).toEqual({ code: 5, signal: null });
    await expect(child.freeze()).rejects.toThrow('ESRCH');
    child.thaw();
  });

  it('takes along what the process started', async () => {
    const { script, alive } = await lifeline();
    const child = await run(`
      require('child_process').spawn(process.execPath, ['-e', '${script}'], { stdio: 'inherit' });
      console.log(1); ${FOREVER}`);
    await expect.poll(alive).toBe(1);
    expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    await expect.poll(alive).toBe(0);
  });

  it('takes the process along when this one is ended by a signal', async () => {
    const { script, alive } = await lifeline();
    const module = new URL('./process.ts', import.meta.url).href;
    const parent = await run(`
      import('${module}')
        .then(({ startProcess }) =>
          startProcess(process.execPath, ['-e', 'console.log(1); ${script}']))
        .then(() => console.log(1));`);
    await expect.poll(alive).toBe(1);
    expect(await parent.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    await expect.poll(alive).toBe(0);
  });
});
