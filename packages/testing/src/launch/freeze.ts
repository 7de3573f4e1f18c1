import { readdir, readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Far longer than the busiest machine needs to give each thread its turn to stop. */
const STOP_MS = 5_000;

/**
 * SIGSTOP; resolves when every thread of the process stands still. The signal itself only asks for
 * that: until each thread has had its turn on a processor, the others go on, and one of them may
 * answer. Rejects where there is no such process.
 */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const end = performance.now() + STOP_MS;
  while (!(await isStopped(pid))) {
    if (performance.now() > end) throw new Error(`process ${pid} has not stopped in ${STOP_MS} ms`);
    await nextTurn();
  }
}

/** Linux's: the state is the field behind the name, which is in brackets and may hold any other. */
async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'latin1').catch(() => '')),
  );
  return stats.every(
    (stat) => stat === '' || /^ [Tt] /.test(stat.slice(stat.lastIndexOf(')') + 1)),
  );
}
