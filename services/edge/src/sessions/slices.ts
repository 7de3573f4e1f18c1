import type { Time } from '../ports/time.ts';

/** How long one turn of the event loop is spent on what can wait for the next. */
const TURN_MS = 2;

/**
 * Acts on each of `all`: at once as far as this turn of the event loop has time, the rest in later turns,
 * since everybody else waits meanwhile. `act` says whether it may have cost much, upon which the clock is
 * looked at. `done` is called after the last.
 */
export function inSlices<T>(
  time: Pick<Time, 'now' | 'endOfTurn'>,
  all: Iterable<T>,
  act: (one: T) => boolean,
  done: () => void = () => {},
): void {
  const iterator = all[Symbol.iterator]();
  const goOn = (): void => {
    const until = time.now() + TURN_MS;
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      if (act(next.value) && time.now() >= until) return time.endOfTurn(goOn);
    }
    done();
  };
  goOn();
}
