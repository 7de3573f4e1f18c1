const FIRST_MS = 100;
const LONGEST_MS = 10_000;
/** A process that ran for so long was well: its end counts as the first one. */
const WELL_MS = 60_000;

/** How long to wait before a process that has ended is started again: twice as long each time. */
export class BackOff {
  #delay = 0;

  /** The wait, in milliseconds, after a process that has run for so many. */
  after(ranMs: number): number {
    const isFirst = this.#delay === 0 || ranMs >= WELL_MS;
    this.#delay = isFirst ? FIRST_MS : Math.min(LONGEST_MS, 2 * this.#delay);
    return this.#delay;
  }
}
