/** Ends every process of a group at once; a group that has ended already is no error. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const live = new Set<number>();

/**
 * Kills the group when this process ends, until `exited` settles. Groups of their own get no Ctrl-C
 * from the terminal, so an unhandled signal has to be passed on from here.
 */
export function killWithUs(pid: number, exited: Promise<unknown>): void {
  if (live.size === 0) arm();
  live.add(pid);
  void exited.finally(() => {
    live.delete(pid);
    if (live.size === 0) disarm();
  });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function arm(): void {
  process.on('exit', killAll);
  for (const signal of SIGNALS) process.on(signal, killAllAndEnd);
}

function disarm(): void {
  process.off('exit', killAll);
  for (const signal of SIGNALS) process.off(signal, killAllAndEnd);
}

function killAll(): void {
  for (const pid of live) killGroup(pid);
}

/** A listener replaces the signal's own effect: give it back, unless somebody else listens too. */
function killAllAndEnd(signal: NodeJS.Signals): void {
  killAll();
  disarm();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}
