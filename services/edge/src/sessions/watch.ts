import type { EndTimer } from '../ports/time.ts';
import { CLIENT_CLOSE_REASONS } from './close-reason.ts';
import type { CoreContext } from './core-context.ts';
import { inSlices } from './slices.ts';

const SWEEP_MS = 1_000;

/** Who has deadlines beside the sessions. `late`: how long this edge itself slept. */
export interface Expiring {
  expire(now: number, late: number): void;
}

/**
 * The one interval of an edge: once a second it looks after every deadline of peers. When the edge
 * itself has slept (a frozen machine, a long pause), nobody is blamed for that silence.
 */
export class Watch {
  readonly #context: CoreContext;
  readonly #others: readonly Expiring[];
  /** Ends the interval. */
  readonly stop: EndTimer;
  #last: number;

  constructor(context: CoreContext, others: readonly Expiring[]) {
    this.#context = context;
    this.#others = others;
    this.#last = this.#readClock();
    this.stop = context.time.every(SWEEP_MS, () => this.#sweep());
  }

  #sweep(): void {
    const context = this.#context;
    const now = this.#readClock();
    const passed = now - this.#last;
    this.#last = now;
    const late = passed > 2 * SWEEP_MS ? passed - SWEEP_MS : 0;
    for (const server of context.servers) server.check(now, late);
    inSlices(context.time, context.unsettled, (client) => {
      client.checkDeadline(now, late);
      return !context.unsettled.has(client);
    });
    context.results.expire(now, late);
    context.intake.expire(now, late);
    context.digest.expire(now);
    for (const other of this.#others) other.expire(now, late);
    this.#endSignIns();
  }

  #readClock(): number {
    const now = this.#context.time.now();
    this.#context.tick = Math.floor(now / 1000);
    return now;
  }

  #endSignIns(): void {
    const { expiring, time } = this.#context;
    const now = time.unixSeconds();
    inSlices(time, expiring, ([client, at]) => {
      if (at > now) return false;
      client.close(CLIENT_CLOSE_REASONS.signInExpired);
      return true;
    });
  }
}
