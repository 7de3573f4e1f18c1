const LOOK_MS = 250;

/**
 * Ends this process, as by SIGTERM, when the shell between it and npm is gone: npm hands its signals
 * to that shell, and most shells die without passing them on.
 */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  timer.unref();
}
