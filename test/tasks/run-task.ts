/**
 * Runs one of the long tasks, and sets the exit code of this process: 0 when it resolves to true.
 * Ctrl-C aborts the signal and ends the processes that the task has started; the task itself may
 * say its last word, and clear up.
 */
export async function runTask(
  name: string,
  task: (signal: AbortSignal) => Promise<boolean>,
): Promise<void> {
  const stop = new AbortController();
  // Not `once`: npm passes the terminal's signal on, so it comes twice, and the launchers of
  // processes give a signal its own effect back when nobody listens any more.
  process.on('SIGINT', () => {
    if (!stop.signal.aborted) console.error('stops ...');
    stop.abort();
  });
  try {
    process.exitCode = (await task(stop.signal)) ? 0 : 1;
  } catch (error) {
    console.error(`${name}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
