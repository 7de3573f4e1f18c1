import type { EndTimer, Time } from '../../services/edge/src/ports/time.ts';

interface Event {
  readonly at: number;
  /** What is due at one moment runs in the order in which it was asked for. */
  readonly place: number;
  readonly machine: Machine;
  readonly run: () => void;
}

/** The one time of a simulation, and all that is going to happen in it. */
export class Clock {
  now = 0;
  readonly #events: Event[] = [];
  #places = 0;

  /** Runs `run` in so many milliseconds, on that machine: later if it is frozen then, never if it has ended. */
  in(ms: number, machine: Machine, run: () => void): void {
    const event = { at: this.now + Math.max(0, ms), place: this.#places++, machine, run };
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.at > event.at) low = middle + 1;
      else high = middle;
    }
    // The next one is the last of the list.
    this.#events.splice(low, 0, event);
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let next = this.#events.at(-1); next !== undefined; next = this.#events.at(-1)) {
      if (next.at > end) break;
      this.#events.pop();
      this.now = Math.max(this.now, next.at);
      next.machine.run(next.run);
    }
    this.now = end;
  }
}

/** What runs by itself, and can freeze or end by itself: an edge, an app server, a client, an engine. */
export class Machine {
  readonly clock: Clock;
  readonly time: Time;
  #isFrozen = false;
  #hasEnded = false;
  /** What was due while it was frozen. */
  #due: (() => void)[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
    this.time = {
      now: () => clock.now,
      unixSeconds: () => 1_700_000_000 + clock.now / 1000,
      endOfTurn: (run) => clock.in(0, this, run),
      after: (ms, run) => this.#repeat(ms, run, false),
      every: (ms, run) => this.#repeat(ms, run, true),
    };
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  run(run: () => void): void {
    if (this.#hasEnded) return;
    if (this.#isFrozen) this.#due.push(run);
    else run();
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    const due = this.#due;
    this.#due = [];
    for (const run of due) this.clock.in(0, this, run);
  }

  end(): void {
    this.#hasEnded = true;
    this.#due = [];
  }

  #repeat(ms: number, run: () => void, again: boolean): EndTimer {
    let isOn = true;
    const next = (): void =>
      this.clock.in(ms, this, () => {
        if (!isOn) return;
        run();
        if (again && isOn) next();
      });
    next();
    return () => (isOn = false);
  }
}
