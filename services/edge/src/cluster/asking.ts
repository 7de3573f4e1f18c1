import type { Budget } from '@trunkline/protocol';
import { AckStatus } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import { TOO_MANY } from '../model/asker.ts';
import type { Needs } from '../model/questions.ts';
import { Questions } from '../model/questions.ts';
import type { Pools } from '../pools.ts';
import type { EndTimer, Time } from '../ports/time.ts';
import type { ClusterStats, QuestionOutcome } from './cluster-stats.ts';

/** How often deadlines are looked at while there are any: app servers wait for them, not for the watch. */
const LOOK_MS = 250;
/** A look that is later than this: the edge itself has slept. */
const SLEPT_MS = 1_000;

/** The questions of this edge to others: how many each hub or user may have open, and what came of them. */
export class Asking {
  readonly #questions = new Questions();
  readonly #room: Budget<string>;
  readonly #stats: ClusterStats;
  readonly #time: Pick<Time, 'now' | 'after'>;
  readonly #whoIsGone: (now: number) => void;
  #endLooking: EndTimer | undefined;

  /**
   * `whoIsGone`: finds out which edges are gone, and says so by `edgeLost`. It is called before deadlines
   * are looked at: who has asked an edge that has just died is not told that it took too long.
   */
  constructor(
    pools: Pools,
    stats: ClusterStats,
    time: Pick<Time, 'now' | 'after'>,
    whoIsGone: (now: number) => void,
  ) {
    this.#stats = stats;
    this.#time = time;
    this.#whoIsGone = whoIsGone;
    // Others need the room, but all questions have deadlines, which are near.
    this.#room = pools.open('questions', () => {});
  }

  /**
   * Asks some edges for a hub or user, by `send`; they may take so many milliseconds. The asker is told at once if
   * there is nobody to be asked, or no room. Answers a function that ends the waiting.
   */
  ask(
    owner: string,
    edges: readonly string[],
    needs: Needs,
    asker: Asker,
    ms: number,
    send: (edgeId: string, question: number) => void,
  ): () => void {
    if (!this.#room.take(owner, 1)) {
      this.#settle(asker, TOO_MANY, 'refused');
      return () => {};
    }
    let isOpen = true;
    const close = (): void => {
      if (isOpen) this.#room.give(owner, 1);
      isOpen = false;
    };
    const settle = (answer: Answer, from?: string): void => {
      close();
      this.#settle(asker, answer, edges.length === 0 ? undefined : outcomeOf(answer), from);
    };
    const question = this.#questions.ask(edges, needs, { settle }, this.#time.now(), ms);
    this.#look();
    for (const edgeId of edges) send(edgeId, question);
    return () => {
      this.#questions.withdraw(question);
      close();
    };
  }

  answered(question: number, edgeId: string, answer: Answer): void {
    this.#questions.answered(question, edgeId, answer);
  }

  edgeLost(edgeId: string): void {
    this.#questions.edgeLost(edgeId);
  }

  gap(edgeId: string | undefined): void {
    this.#questions.gap(edgeId);
  }

  /** Nobody waits any more. */
  close(): void {
    this.#endLooking?.();
  }

  /** Looks at deadlines from now on, as long as there are any. */
  #look(): void {
    if (this.#endLooking !== undefined || this.#questions.size === 0) return;
    const due = this.#time.now() + LOOK_MS;
    this.#endLooking = this.#time.after(LOOK_MS, () => {
      this.#endLooking = undefined;
      const now = this.#time.now();
      const late = now - due > SLEPT_MS ? now - due : 0;
      // After a sleep nobody was heard: the watch, which knows of it, is next.
      if (late === 0) this.#whoIsGone(now);
      this.#questions.expire(now, late);
      this.#look();
    });
  }

  #settle(asker: Asker, answer: Answer, outcome: QuestionOutcome | undefined, from?: string): void {
    if (outcome !== undefined) this.#stats.questions[outcome]++;
    asker.settle(answer, from);
  }
}

function outcomeOf({ status }: Answer): QuestionOutcome {
  if (status === AckStatus.NotFound) return 'not_found';
  return status === AckStatus.Timeout ? 'timed_out' : 'answered';
}
