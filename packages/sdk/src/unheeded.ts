/**
 * Runs what an app gave, a listener or a logger, whose failure must not end the process: what it
 * throws or rejects with is for `report` alone.
 */
export function runUnheeded(work: () => unknown, report: (error: unknown) => void): void {
  void (async () => {
    await work();
  })().catch(report);
}

/**
 * A promise on its way to an app. Whoever awaits it learns of its failure; where nobody does, that
 * must not end the process, as Node would have it.
 */
export function unheeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
