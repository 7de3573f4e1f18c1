import type { UpgradeDoor, UwsUpgrade } from './uws-upgrade.ts';

/**
 * So long a turn of the event loop asks the door, in milliseconds; other requests wait for the next
 * turns. With less, thousands wait when thousands come each second, and what is kept of them takes 20 MB.
 */
const TURN_MS = 3;

/**
 * Requests for WebSockets before the door of their kind. A thousand clients that come at once, as after
 * an edge has ended, take a turn of everybody's time each: here they leave room between them.
 */
export class UpgradePace {
  readonly #door: UpgradeDoor;
  readonly #now: () => number;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #spentMs = 0;
  #awaitsEnd = false;

  /** `now`: milliseconds. */
  constructor(door: UpgradeDoor, now = (): number => performance.now()) {
    this.#door = door;
    this.#now = now;
  }

  /** Asks the door, in this call if there is time and it need not wait until the turn is over. */
  ask(upgrade: Pick<UwsUpgrade, 'ask' | 'kept'>, mustWait: boolean): void {
    if (mustWait || this.#waiting.size > 0 || this.#spentMs >= TURN_MS) {
      this.#waiting.add(upgrade.kept(this.#door));
    } else {
      this.#spend(() => upgrade.ask(this.#door));
    }
    this.#awaitEnd();
  }

  #spend(ask: () => void): void {
    const started = this.#now();
    ask();
    this.#spentMs += this.#now() - started;
  }

  #awaitEnd(): void {
    if (this.#awaitsEnd) return;
    this.#awaitsEnd = true;
    setImmediate(() => this.#turnOver());
  }

  #turnOver(): void {
    this.#awaitsEnd = false;
    this.#spentMs = 0;
    for (const ask of this.#waiting) {
      if (this.#spentMs >= TURN_MS) break;
      this.#waiting.delete(ask);
      this.#spend(ask);
    }
    // What this has taken is of the turn that begins now.
    if (this.#spentMs > 0) this.#awaitEnd();
  }
}
