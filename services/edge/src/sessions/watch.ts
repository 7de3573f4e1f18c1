import type { EdgeContext } from './edge-context.ts';

const SWEEP_MS = 1_000;

/** Who has deadlines beside the sessions. */
export interface Expiring {
  expire(now: number): void;
}

/**
 * The one timer of an edge: once a second it looks after every deadline there is. When the edge
 * itself has slept (a frozen machine, a long pause), nobody is blamed for that silence.
 */
export class Watch {
  readonly #context: EdgeContext;
  readonly #expiring: Expiring;
  readonly #timer: NodeJS.Timeout;
  #last: number;

  constructor(context: EdgeContext, expiring: Expiring) {
    this.#context = context;
    this.#expiring = expiring;
    this.#last = context.clock.now();
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS);
  }

  sweep(): void {
    const context = this.#context;
    const now = context.clock.now();
    const passed = now - this.#last;
    this.#last = now;
    context.tick = Math.floor(now / 1000);
    const late = passed > 2 * SWEEP_MS ? passed - SWEEP_MS : 0;
    for (const server of context.servers) server.check(now, late);
    for (const client of context.opening) client.checkDeadline(now, late);
    context.results.expire(now);
    this.#expiring.expire(now);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
