/** Time as the stand-in sees it, so that tests can have 30 seconds pass at once. */
export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number;
  /** Calls `act` once, `ms` milliseconds from now. The answer takes it back. */
  after(ms: number, act: () => void): () => void;
  /** Calls `act` every `ms` milliseconds from now on, until the answer is called. */
  every(ms: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  every(ms, act) {
    const timer = setInterval(act, ms);
    return () => clearInterval(timer);
  },
};

/** Resolves after `ms` milliseconds, or as soon as `early` settles. */
export async function pass(clock: Clock, ms: number, early?: Promise<unknown>): Promise<void> {
  let cancel = (): void => {};
  const passed = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await (early === undefined ? passed : Promise.race([passed, early]));
  cancel();
}
