import type { Time } from './ports/time.ts';

/** The time of this process. */
export const SYSTEM_TIME: Time = {
  now: () => performance.now(),
  unixSeconds: () => Date.now() / 1000,
  endOfTurn: (run) => void setImmediate(run),
  after: (ms, run) => {
    // What is due after the edge's end concerns nobody any more.
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
