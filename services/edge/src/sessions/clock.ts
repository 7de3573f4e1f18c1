/** Time as sessions see it: injected, so that tests move it. */
export interface Clock {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Seconds since 1970. */
  unixSeconds(): number;
  /** Runs `run` once, in so many milliseconds. For what cannot wait for the watch. */
  after(ms: number, run: () => void): void;
}
