import type { EndTimer, Time } from './time.ts';

interface Timer {
  at: number;
  /** What is due at one moment runs in this order. */
  readonly place: number;
  readonly run: () => void;
  /** Between two runs; undefined if it runs once. */
  readonly periodMs: number | undefined;
}

/** Time that passes when it is told to, in no time: what is due runs within that call. */
export class ManualTime implements Time {
  /** What each look at the clock costs, in milliseconds: nothing, so that work takes no time. */
  lookMs = 0;
  #now = 1_000_000;
  #timers: Timer[] = [];
  #places = 0;
  #ending: (() => void)[] = [];

  now(): number {
    return (this.#now += this.lookMs);
  }

  unixSeconds(): number {
    return 1_700_000_000 + this.#now / 1000;
  }

  endOfTurn(run: () => void): void {
    this.#ending.push(run);
  }

  after(ms: number, run: () => void): EndTimer {
    return this.#add(ms, run, undefined);
  }

  every(ms: number, run: () => void): EndTimer {
    return this.#add(ms, run, ms);
  }

  /** Ends this turn: what is asked for meanwhile waits for the end of the next. */
  endTurn(): void {
    const ending = this.#ending;
    this.#ending = [];
    for (const run of ending) run();
  }

  /** Lets time pass. Whatever is due runs at its time, in a turn of its own. */
  pass(ms: number): void {
    const end = this.#now + ms;
    this.#endTurns();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at);
      this.#run(next);
      this.#endTurns();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Lets time pass that nobody notices, as in a frozen machine: what was due runs at its end, once. */
  sleep(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now).toSorted(inOrder);
    for (const timer of due) if (this.#timers.includes(timer)) this.#run(timer);
  }

  #add(ms: number, run: () => void, periodMs: number | undefined): EndTimer {
    const timer = { at: this.#now + ms, place: this.#places++, run, periodMs };
    this.#timers.push(timer);
    return () => this.#drop(timer);
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (next === undefined || inOrder(timer, next) < 0)) next = timer;
    }
    return next;
  }

  #run(timer: Timer): void {
    if (timer.periodMs === undefined) this.#drop(timer);
    else timer.at = this.#now + timer.periodMs;
    timer.run();
  }

  #drop(timer: Timer): void {
    this.#timers = this.#timers.filter((one) => one !== timer);
  }

  /** Until nobody waits for the end of one. */
  #endTurns(): void {
    while (this.#ending.length > 0) this.endTurn();
  }
}

function inOrder(a: Timer, b: Timer): number {
  return a.at - b.at || a.place - b.place;
}
