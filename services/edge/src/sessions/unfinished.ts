import type { Budget } from '@trunkline/protocol';
import type { PoolName, Pools } from '../pools.ts';

/** How long a message that has begun may go without any more of it. */
const SILENT_SECONDS = 30;

/**
 * Who holds bytes of a message that has begun and not ended. Each such message has a limit; this is
 * the limit of all of them, and their deadline: whoever says no more of its message, or holds the
 * most when there is no room, is given up.
 */
export class Unfinished<O> {
  readonly #bytes: Budget<O>;
  /** By owner: when more of its message last came, in seconds. */
  readonly #heard = new Map<O, number>();
  readonly #giveUp: (owner: O) => void;

  /** `giveUp` ends the owner's connection, and with it what it holds (`forget`). */
  constructor(pool: PoolName, pools: Pools, giveUp: (owner: O) => void) {
    this.#bytes = pools.open(pool, giveUp);
    this.#giveUp = giveUp;
  }

  /**
   * The owner held `before` bytes of a message and now holds `bytes`, at `tick`, in seconds. One with
   * too many is given up. One that holds none, as nearly everybody does, costs one comparison.
   */
  note(owner: O, before: number, bytes: number, tick: number): void {
    if (bytes === 0) {
      if (before > 0) this.forget(owner);
      return;
    }
    this.mayHold(owner, bytes, tick);
  }

  /**
   * The owner is about to hold so many bytes of a message that has begun. False when it may not, and it
   * has been given up: for who has much, that spares the work of keeping it.
   */
  mayHold(owner: O, bytes: number, tick: number): boolean {
    const more = bytes - this.#bytes.heldBy(owner);
    this.#heard.set(owner, tick);
    if (more < 0) this.#bytes.give(owner, -more);
    else if (!this.#bytes.take(owner, more)) {
      this.#giveUp(owner);
      return false;
    }
    return true;
  }

  /** The owner holds nothing any more. */
  forget(owner: O): void {
    if (!this.#heard.delete(owner)) return;
    this.#bytes.giveAll(owner);
  }

  /** `late`: for how many seconds nobody was heard, because the edge itself slept. */
  expire(tick: number, late: number): void {
    for (const [owner, heard] of this.#heard) {
      if (late > 0) this.#heard.set(owner, heard + late);
      else if (tick - heard >= SILENT_SECONDS) {
        this.forget(owner);
        this.#giveUp(owner);
      }
    }
  }
}
