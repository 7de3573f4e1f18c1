import type { Random } from '../ports/random.ts';
import type { Time } from '../ports/time.ts';
import { CLIENT_CLOSE_REASONS } from './close-reason.ts';
import type { Counters } from './counters.ts';
import { nextStepMs } from './pace.ts';
import type { Served } from './served.ts';

/** Clients closed in a step, at least. */
const LEAST = 100;
/** Steps for all that wait at a time: 5 s at most, well within what a server waits for its finack. */
const STEPS = 40;

type Ending = (client: Served) => void;

/**
 * Closes clients whose app server goes and that are not moved, so that they reconnect: at once, but
 * for thousands, whose reconnects would arrive in one instant.
 */
export class PacedCloses {
  /** How each of them is closed. */
  readonly #waiting = new Map<Served, Ending>();
  readonly #time: Time;
  readonly #random: Random;
  readonly #endNotAllowed: Ending;
  #isPacing = false;
  /** How many a step closes, and how many this one may close yet. */
  #share = LEAST;
  #left = LEAST;

  constructor(time: Time, random: Random, counters: Counters) {
    this.#time = time;
    this.#random = random;
    this.#endNotAllowed = (client) => {
      counters.migrations.add('not_allowed');
      client.close(CLIENT_CLOSE_REASONS.serverConnectionClosed);
    };
  }

  /** `end` closes it when it is its turn; not given: as one that its app does not let move. */
  add(client: Served, end: Ending = this.#endNotAllowed): void {
    this.#waiting.set(client, end);
    this.#share = Math.max(this.#share, Math.ceil(this.#waiting.size / STEPS));
    if (!this.#isPacing) this.#pace();
    this.#closeSome();
  }

  /** It has ended by itself. */
  delete(client: Served): void {
    this.#waiting.delete(client);
  }

  #pace(): void {
    this.#isPacing = true;
    this.#left = this.#share;
    this.#time.after(nextStepMs(this.#random), () => this.#step());
  }

  #step(): void {
    this.#isPacing = this.#waiting.size > 0;
    if (!this.#isPacing) this.#share = LEAST;
    else this.#pace();
    this.#closeSome();
  }

  #closeSome(): void {
    for (const [client, end] of this.#waiting) {
      if (this.#left === 0) return;
      this.#left--;
      this.#waiting.delete(client);
      end(client);
    }
  }
}
