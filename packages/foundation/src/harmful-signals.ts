/** The part of `process` that takes signals. */
export interface SignalSource {
  on(event: 'SIGUSR1' | 'SIGUSR2', listener: () => void): unknown;
}

/**
 * Swallows the signals that do harm where nobody expects them: Node opens its debugger, to whoever
 * is on this machine, on SIGUSR1, and ends without a word on SIGUSR2. A listener replaces both.
 */
export function ignoreHarmfulSignals(source: SignalSource): void {
  source.on('SIGUSR1', () => {});
  source.on('SIGUSR2', () => {});
}

/** The part of `process` that is sent SIGHUP, and sends it. */
export interface HangUpSource {
  readonly pid: number;
  on(event: 'SIGHUP', listener: () => void): unknown;
  off(event: 'SIGHUP', listener: () => void): unknown;
  listenerCount(event: 'SIGHUP'): number;
  kill(pid: number, signal: 'SIGHUP'): unknown;
}

/**
 * Keeps SIGHUP, which has services read their secrets again, from ending one that does not listen for it
 * yet. What is answered is to be called once the service runs, and sends it again a signal that came in
 * that time. One that never listens ends by it then, as it does by any later one.
 */
export function holdHangUps(source: HangUpSource): () => void {
  let came = false;
  const hold = (): void => {
    // What the service has heard itself is done with.
    if (source.listenerCount('SIGHUP') === 1) came = true;
  };
  source.on('SIGHUP', hold);
  return () => {
    source.off('SIGHUP', hold);
    if (came) source.kill(source.pid, 'SIGHUP');
  };
}
