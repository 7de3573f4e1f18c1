import type { Clock } from '../clock.ts';
import type { HubOptions } from './definition.ts';

/**
 * When a hub pings its client, and when it has waited long enough for one (client protocols
 * reference, section 3.6). A client that has never pinged is never given up.
 */
export class Silence {
  readonly #clock: Clock;
  readonly #options: Required<HubOptions>;
  #lastPing: number;
  #lastHeard: number;
  #armed = false;
  /** The client's messages wait for us: silence is no fault of its own then. */
  held = false;

  constructor(clock: Clock, options: Required<HubOptions>) {
    this.#clock = clock;
    this.#options = options;
    this.#lastPing = this.#lastHeard = clock.now();
  }

  heard(): void {
    this.#lastHeard = this.#clock.now();
  }

  pinged(): void {
    this.#armed = true;
  }

  /** Whether a ping is due, which then counts as sent. */
  pingDue(): boolean {
    const now = this.#clock.now();
    if (now - this.#lastPing < this.#options.keepAliveInterval) return false;
    this.#lastPing = now;
    return true;
  }

  get isOver(): boolean {
    const silence = this.#clock.now() - this.#lastHeard;
    return this.#armed && !this.held && silence > this.#options.clientTimeoutInterval;
  }
}
