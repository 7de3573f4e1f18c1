import { AckStatus } from '@trunkline/protocol';
import type { Answer, Asker } from './asker.ts';
import { DONE, NOT_FOUND, TIMED_OUT } from './asker.ts';

/**
 * What a question needs to be settled. `anyFound`: one edge that has what is asked for; its answer is
 * the answer, and "not found" takes the word of all. `allDone`: all have done what they are asked to.
 */
export type Needs = 'anyFound' | 'allDone';

interface Question {
  readonly asker: Asker;
  readonly needs: Needs;
  /** The edges that have not answered, by their ids. */
  readonly awaited: Set<string>;
  /** How many milliseconds it may take, and until when on the clock of the caller. */
  readonly ms: number;
  deadline: number;
  /** An edge may have done what it was asked, or have what is asked for: nobody will know. */
  isUncertain: boolean;
}

/**
 * What this edge has asked others, each question of edges that are named when it is asked. It ends when
 * all of those have answered, when those that have not are gone, or at its deadline.
 */
export class Questions {
  readonly #questions = new Map<number, Question>();
  #last = 0;

  get size(): number {
    return this.#questions.size;
  }

  /**
   * Answers the number of the question, by which the answers come. Settles at once if nobody is asked.
   * It may take so many milliseconds from now on.
   */
  ask(edges: Iterable<string>, needs: Needs, asker: Asker, now: number, ms: number): number {
    const number = (this.#last = this.#last === 0xffff_ffff ? 1 : this.#last + 1);
    const awaited = new Set(edges);
    const question = { asker, needs, awaited, ms, deadline: now + ms, isUncertain: false };
    this.#questions.set(number, question);
    this.#settleIfAll(number, question);
    return number;
  }

  /** An answer of an edge. One that nobody waits for counts for nothing. */
  answered(number: number, edgeId: string, answer: Answer): void {
    const question = this.#questions.get(number);
    if (question?.awaited.delete(edgeId) !== true) return;
    if (question.needs === 'anyFound' && answer.status !== AckStatus.NotFound) {
      this.#settle(number, question, answer, edgeId);
    } else {
      this.#settleIfAll(number, question);
    }
  }

  /** An edge is gone, and with it all its clients. */
  edgeLost(edgeId: string): void {
    for (const [number, { awaited }] of this.#questions) this.#without(number, edgeId, awaited);
  }

  /** What an edge was asked, or has answered, may be lost; undefined: any edge. */
  gap(edgeId: string | undefined): void {
    for (const [number, question] of this.#questions) {
      for (const awaited of edgeId === undefined ? [...question.awaited] : [edgeId]) {
        if (!question.awaited.has(awaited)) continue;
        question.isUncertain = true;
        this.#without(number, awaited, question.awaited);
      }
    }
  }

  /** Nobody waits for the answer any more. */
  withdraw(number: number): void {
    this.#questions.delete(number);
  }

  /** `late`: how long this edge itself slept, in which nobody could be heard. */
  expire(now: number, late: number): void {
    for (const [number, question] of this.#questions) {
      // What was asked between that sleep and this call is not given more than others.
      question.deadline = Math.min(question.deadline + late, now + question.ms);
      if (question.deadline <= now) this.#settle(number, question, TIMED_OUT);
    }
  }

  #without(number: number, edgeId: string, awaited: Set<string>): void {
    const question = this.#questions.get(number);
    if (awaited.delete(edgeId) && question !== undefined) this.#settleIfAll(number, question);
  }

  #settleIfAll(number: number, question: Question): void {
    const { awaited, needs, isUncertain } = question;
    if (awaited.size > 0) return;
    const last = needs === 'allDone' ? DONE : NOT_FOUND;
    this.#settle(number, question, isUncertain ? TIMED_OUT : last);
  }

  #settle(number: number, { asker }: Question, answer: Answer, from?: string): void {
    this.#questions.delete(number);
    asker.settle(answer, from);
  }
}
