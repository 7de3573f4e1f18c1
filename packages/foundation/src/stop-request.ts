/** The part of `process` that tells a process to stop. */
export interface StopSource {
  on(event: 'SIGTERM' | 'SIGINT' | 'disconnect', listener: () => void): unknown;
  /** Defined only when the parent opened an IPC channel. */
  send?: unknown;
}

/**
 * Resolves when this process is asked to stop: by SIGTERM or SIGINT, or by the end of the parent
 * that holds our IPC channel. The listeners stay, so that npm's second delivery of a signal does not
 * end the process before it has stopped cleanly.
 */
export function stopRequest(source: StopSource): Promise<void> {
  return new Promise((resolve) => {
    source.on('SIGTERM', resolve);
    source.on('SIGINT', resolve);
    if (source.send !== undefined) source.on('disconnect', resolve);
  });
}
