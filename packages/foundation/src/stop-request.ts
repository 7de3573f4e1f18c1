/** The part of `process` that tells a process to stop. */
export interface StopSource {
  on(event: 'SIGTERM' | 'SIGINT' | 'disconnect', listener: () => void): unknown;
  /** Defined only when the parent opened an IPC channel. */
  send?: unknown;
  /** Whether that channel is open still. */
  connected?: boolean;
}

/**
 * Resolves, with why, when this process is asked to stop: by SIGTERM or SIGINT, or by the end of the
 * parent that holds our IPC channel. The listeners stay, so that npm's second delivery of a signal
 * does not end the process before it has stopped cleanly.
 */
export function stopRequest(source: StopSource): Promise<string> {
  return new Promise((resolve) => {
    source.on('SIGTERM', () => resolve('SIGTERM'));
    source.on('SIGINT', () => resolve('SIGINT'));
    if (source.send !== undefined) {
      const orphaned = (): void => resolve('the process that started this one has ended');
      source.on('disconnect', orphaned);
      // It may have ended before we came to listen.
      if (source.connected === false) orphaned();
    }
  });
}

/** A SIGTERM that comes so soon after another is the same one: npm delivers some twice. */
const REPEAT_MS = 1_000;

/**
 * Resolves when a process that takes its time to stop, since it was sent a SIGTERM just now, is to hurry:
 * by SIGINT, by another SIGTERM, or because its parent has ended.
 */
export function hurryRequest(source: StopSource, now: () => number): Promise<void> {
  const since = now();
  return new Promise((resolve) => {
    source.on('SIGINT', resolve);
    source.on('SIGTERM', () => {
      if (now() - since >= REPEAT_MS) resolve();
    });
    if (source.send !== undefined) source.on('disconnect', resolve);
  });
}
