/** Seconds between tries, then 60 (service protocol reference, section 7.7). */
const MOST_POWER = 5;
const LONGEST_MS = 60_000;
const JITTER_MS = 1000;

/** How long the shared probe of a hub's connections waits: not at all at first, then ever longer. */
export class BackOff {
  #failures = 0;

  succeeded(): void {
    this.#failures = 0;
  }

  /** Milliseconds from the last try to the next one. */
  next(): number {
    const power = this.#failures++ - 1;
    if (power < 0) return 0;
    const base = power > MOST_POWER ? LONGEST_MS : 1000 * 2 ** power;
    return base + Math.floor(Math.random() * JITTER_MS);
  }
}
