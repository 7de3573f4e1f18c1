import type { Clock } from './clock.ts';

interface Timer {
  due: number;
  readonly period: number | undefined;
  readonly act: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(ms: number, act: () => void): () => void {
    return this.#set({ due: this.#now + ms, period: undefined, act });
  }

  every(ms: number, act: () => void): () => void {
    return this.#set({ due: this.#now + ms, period: ms, act });
  }

  /**
   * Lets time pass, in steps of at most a second, and what falls due happen. Between the steps I/O
   * gets its turn, so that what one step has sent is read before the next one.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    while (this.#now < end) {
      this.#step(Math.min(end, this.#now + 1000));
      await settle();
    }
  }

  #set(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #step(until: number): void {
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.due <= until);
      const next = due.sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#now = next.due;
      if (next.period === undefined) this.#timers.delete(next);
      else next.due += next.period;
      next.act();
    }
    this.#now = until;
  }
}

/** Gives sockets of this process some turns of the event loop. */
export async function settle(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
