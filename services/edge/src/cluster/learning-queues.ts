import type { EndTimer, Time } from '../ports/time.ts';

/** How long one edge is waited for, for a turn there or for its answer, when there is another one to be asked. */
export const TURN_MS = 1_000;

/** A hub that waits for its turn at an edge. */
interface Waiter {
  readonly begin: () => void;
  readonly endWaiting: EndTimer;
}

/**
 * Whose turn it is at each edge that hubs learn from: one's at a time. The rules of all hubs, told to all
 * edges that have missed the same, are more than a bus takes at once; they would be lost, and asked for again.
 */
export class LearningQueues {
  readonly #time: Pick<Time, 'after' | 'endOfTurn'>;
  /** Those who wait, at each edge where somebody has a turn. */
  readonly #waiting = new Map<string, Set<Waiter>>();

  constructor(time: Pick<Time, 'after' | 'endOfTurn'>) {
    this.#time = time;
  }

  /**
   * Runs `begin` at the caller's turn, who says by `leave` that it is over; or `giveUp`, where there is
   * another edge to be asked, when that takes too long. Nobody loses its place to one that came later, so
   * a hub that takes all the time it may have, again and again, does not keep the others from learning.
   */
  enter(edgeId: string, begin: () => void, giveUp: (() => void) | undefined): void {
    const waiting = this.#waiting.get(edgeId);
    if (waiting === undefined) {
      this.#waiting.set(edgeId, new Set());
      return begin();
    }
    const late = (): void => {
      waiting.delete(waiter);
      giveUp?.();
    };
    const endWaiting = giveUp === undefined ? () => {} : this.#time.after(TURN_MS, late);
    const waiter: Waiter = { begin, endWaiting };
    waiting.add(waiter);
  }

  /** The next one does not begin before all is heard of a gap: what is asked meanwhile counts as lost, too. */
  leave(edgeId: string): void {
    if (this.#waiting.get(edgeId)!.size === 0) this.#waiting.delete(edgeId);
    else this.#time.endOfTurn(() => this.#next(edgeId));
  }

  #next(edgeId: string): void {
    const waiting = this.#waiting.get(edgeId)!;
    const [next] = waiting;
    if (next === undefined) return void this.#waiting.delete(edgeId);
    waiting.delete(next);
    next.endWaiting();
    next.begin();
  }
}
