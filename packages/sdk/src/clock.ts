/** What a timer holds; Node takes more for no time at all. */
const LONGEST_MS = 2 ** 31 - 1;

/** Time as this package sees it, so that tests can pass minutes in no time. */
export interface Clock {
  /** Milliseconds from some fixed point; never goes back, whatever the wall clock does. */
  now(): number;
  /** Calls back once, after `milliseconds`, 24 days at the most, unless what it returns is called first. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(milliseconds, LONGEST_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves with true once `work` has settled, or with false after `milliseconds`. */
export function settledWithin(
  clock: Clock,
  work: Promise<unknown>,
  milliseconds: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(milliseconds, () => resolve(false));
    const settled = () => {
      cancel();
      resolve(true);
    };
    work.then(settled, settled);
  });
}
