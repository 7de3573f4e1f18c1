import type { Budget } from '@trunkline/protocol';
import { AckStatus } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import { answerOf } from '../model/asker.ts';
import type { Needs } from '../model/questions.ts';
import { Questions } from '../model/questions.ts';
import type { Pools } from '../pools.ts';
import type { ClusterStats, QuestionOutcome } from './cluster-stats.ts';

const TOO_MANY = answerOf(
  AckStatus.InternalServerError,
  'Too many questions to other edges wait for an answer.',
);

/** The questions of this edge to others: how many each hub may have open, and what came of them. */
export class Asking {
  readonly #questions = new Questions();
  readonly #room: Budget<string>;
  readonly #stats: ClusterStats;

  constructor(pools: Pools, stats: ClusterStats) {
    this.#stats = stats;
    // Others need the room, but all questions have deadlines, which are near.
    this.#room = pools.open('questions', () => {});
  }

  /**
   * Asks some edges for a hub, by `send`. The asker is told at once if there is nobody to be asked, or no
   * room. Answers a function that ends the waiting.
   */
  ask(
    hub: string,
    edges: readonly string[],
    needs: Needs,
    asker: Asker,
    deadline: number,
    send: (edgeId: string, question: number) => void,
  ): () => void {
    if (!this.#room.take(hub, 1)) {
      this.#settle(asker, TOO_MANY, 'refused');
      return () => {};
    }
    let isOpen = true;
    const close = (): void => {
      if (isOpen) this.#room.give(hub, 1);
      isOpen = false;
    };
    const settle = (answer: Answer): void => {
      close();
      this.#settle(asker, answer, edges.length === 0 ? undefined : outcomeOf(answer));
    };
    const question = this.#questions.ask(edges, needs, { settle }, deadline);
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

  expire(now: number, late: number): void {
    this.#questions.expire(now, late);
  }

  #settle(asker: Asker, answer: Answer, outcome: QuestionOutcome | undefined): void {
    if (outcome !== undefined) this.#stats.questions[outcome]++;
    asker.settle(answer);
  }
}

function outcomeOf({ status }: Answer): QuestionOutcome {
  if (status === AckStatus.NotFound) return 'not_found';
  return status === AckStatus.Timeout ? 'timed_out' : 'answered';
}
