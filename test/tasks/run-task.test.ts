import { startProcess } from '@trunkline/testing';
import { expect, test } from 'vitest';

const RUN_TASK = new URL('./run-task.ts', import.meta.url).href;

/** A task that works until Ctrl-C, with a process of its own; it ends as told. */
function startTask(end: string) {
  const code = `
    import { once } from 'node:events';
    import { startProcess } from '@trunkline/testing';
    import { runTask } from ${JSON.stringify(RUN_TASK)};
    await runTask('task', async (signal) => {
      const part = await startProcess(process.execPath, ['-e', 'console.log(1); setInterval(Date, 1000)']);
      const stopped = once(signal, 'abort');
      console.log('works');
      await stopped;
      // The signal comes once more before it ends: what comes to a process that ends has its own effect.
      const waits = setInterval(Date, 1000);
      await once(process, 'SIGINT');
      clearInterval(waits);
      await part.exited;
      console.log('last word');
      ${end}
    });`;
  return startProcess(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: import.meta.dirname,
    ready: (line) => line === 'works',
  });
}

test.each([
  ['return true;', 0, ''],
  ['return false;', 1, ''],
  ["throw new Error('no rows');", 1, 'task: no rows\n'],
])(
  'Ctrl-C, which comes twice, leaves a task its last word, and the exit code: %s',
  async (end, code, says) => {
    await using task = await startTask(end);
    task.child.kill('SIGINT');
    await expect.poll(() => task.output()).toContain('stops ...');
    task.child.kill('SIGINT');
    expect(await task.exited).toEqual({ code, signal: null });
    expect(task.output().split('\n').toSorted()).toEqual(
      `works\nstops ...\nlast word\n${says}`.split('\n').toSorted(),
    );
  },
);
