/**
 * Time as an edge sees it: injected, so that tests move it, and several edges in one process share
 * it. Adapters that talk to a network, the listener and the clients of NATS and Redis, have timers of
 * their own: whoever moves time has no network, so nothing of them runs there.
 */
export interface Time {
  /** Milliseconds on a clock that never jumps, to a small part of one. */
  now(): number;
  /** Seconds since 1970. */
  unixSeconds(): number;
  /**
   * Runs `run` once, when what this turn of the event loop has brought is dealt with. Asked for at
   * the end of a turn, that is the end of the next one.
   */
  endOfTurn(run: () => void): void;
  /** Runs `run` once, in so many milliseconds: for what cannot wait for the watch. */
  after(ms: number, run: () => void): EndTimer;
  /** Runs `run` each time that so many milliseconds have passed; late, and once, after a sleep. */
  every(ms: number, run: () => void): EndTimer;
}

/** Sees to it that a timer runs nothing any more. */
export type EndTimer = () => void;
