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
