import type { Clock } from '../clock.ts';
import { deferred } from '../deferred.ts';

/** A connection that lived no longer than this was of no use. */
export const BRIEF_MS = 1000;
const LONGEST_EXPONENT = 5;
const LONGEST_WAIT_MS = 60_000;

/**
 * When the connections of one hub are tried again (service protocol reference, section 7.7): one
 * probe at a time, at once and then after 1, 2, 4 … 32, 60 s, each plus up to a second of jitter.
 * The others wait for the probe, and all proceed when it succeeds.
 */
export class BackOff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  /** Resolves with whether the probe succeeded. */
  #probe: Promise<boolean> | undefined;
  /** Ends of the waits going on. */
  readonly #waits = new Set<() => void>();
  #stopped = false;

  /** `random` gives numbers from 0 up to 1. */
  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Repeats `attempt` until it succeeds, and answers true; false when stopped before that. */
  async retry(attempt: () => Promise<boolean>): Promise<boolean> {
    while (!this.#stopped) {
      if (this.#probe === undefined) {
        this.#probe = this.#try(attempt);
        if (await this.#probe) return true;
      } else if ((await this.#probe) && !this.#stopped && (await attempt())) {
        return true;
      }
    }
    return false;
  }

  /** Waits as long as `failures` failures in a row call for, or until stopped. */
  async wait(failures: number): Promise<void> {
    if (failures <= 0 || this.#stopped) return;
    const { promise, resolve } = deferred();
    const cancel = this.#clock.after(waitWithJitter(failures, this.#random), resolve);
    this.#waits.add(resolve);
    await promise;
    this.#waits.delete(resolve);
    cancel();
  }

  stop(): void {
    this.#stopped = true;
    for (const end of this.#waits) end();
  }

  async #try(attempt: () => Promise<boolean>): Promise<boolean> {
    await this.wait(this.#failures);
    const succeeded = !this.#stopped && (await attempt());
    this.#failures = succeeded ? 0 : this.#failures + 1;
    this.#probe = undefined;
    return succeeded;
  }
}

/** With up to a second of jitter: `random` gives numbers from 0 up to 1. */
export function waitWithJitter(failures: number, random: () => number): number {
  return waitMilliseconds(failures) + Math.floor(random() * 1000);
}

/** Without jitter. */
function waitMilliseconds(failures: number): number {
  const exponent = failures - 1;
  return exponent > LONGEST_EXPONENT ? LONGEST_WAIT_MS : 2 ** exponent * 1000;
}
