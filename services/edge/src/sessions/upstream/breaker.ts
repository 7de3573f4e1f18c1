/** So many failures in a row open the breaker. */
const FAILURES = 5;
/** How long it stays open before one call is let through, to see whether the upstream is back. */
export const OPEN_MS = 5_000;

export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/** Keeps calls from an upstream that is down: they would only wait, and keep it down. Pure. */
export class Breaker {
  #failures = 0;
  /** Until when nothing is let through; undefined while it is closed. */
  #openUntil: number | undefined;
  #isProbing = false;

  /** Whether a call may be made now. One that may while the breaker is half open is the probe. */
  admits(now: number): boolean {
    const state = this.state(now);
    if (state === 'closed') return true;
    if (state === 'open' || this.#isProbing) return false;
    this.#isProbing = true;
    return true;
  }

  /** Its last call has not failed: it says no more than a new one would. */
  get isSound(): boolean {
    return this.#failures === 0;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntil = undefined;
    this.#isProbing = false;
  }

  /** True when this has opened it. */
  failed(now: number): boolean {
    const wasProbe = this.#isProbing;
    this.#failures++;
    // Calls that were under way when it opened say nothing new.
    if (!wasProbe && (this.#openUntil !== undefined || this.#failures < FAILURES)) return false;
    this.#isProbing = false;
    this.#openUntil = now + OPEN_MS;
    return true;
  }

  /** A call was let through and never made: if it was the probe, the next one is. */
  gaveUp(): void {
    this.#isProbing = false;
  }

  state(now: number): BreakerState {
    if (this.#openUntil === undefined) return 'closed';
    return now < this.#openUntil ? 'open' : 'half_open';
  }
}
