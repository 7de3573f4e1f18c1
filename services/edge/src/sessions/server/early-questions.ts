import type { Budget, Payloads } from '@trunkline/protocol';
import { LRUCache } from 'lru-cache';
import type { Pools } from '../../pools.ts';
import type { Time } from '../../ports/time.ts';
import type { ServedHub } from '../served.ts';
import type { Caller } from './caller.ts';

/**
 * How long the first question waits. The process compiles its code for results then: it was seen to
 * need 20 ms for that, on a machine with nothing else to do.
 */
const FIRST_MS = 500;
/** How long those after it wait: on a busy machine, the ninth was seen to be lost that did not. */
const WAIT_MS = 100;
/** A process that has had so many results is given no more time: of 10,000 none was lost. */
const FEW_RESULTS = 20;
/** Processes whose results are counted; one that is forgotten is given time again. */
const PROCESSES = 1024;

/** A question that is lent for a call. */
export interface Lent<T> {
  readonly value: T;
  readonly bytes: number;
  copy(): T;
}

export function lentPayloads(payloads: Payloads): Lent<Payloads> {
  return {
    value: payloads,
    bytes: [...payloads].reduce((sum, [, { length }]) => sum + length, 0),
    copy: () => new Map(Array.from(payloads, ([name, lent]) => [name, Uint8Array.from(lent)])),
  };
}

export function lentBytes(lent: Uint8Array): Lent<Uint8Array> {
  return { value: lent, bytes: lent.length, copy: () => Uint8Array.from(lent) };
}

interface Question {
  readonly hub: ServedHub;
  readonly bytes: number;
  send(): void;
}

/**
 * The first questions of app servers to clients. A process that loses answers which come too soon (see
 * `losesEarlyAnswers`) is given time: its question goes out to the client late, so that the answer
 * cannot be early, by whichever server it comes back. Nothing else waits, neither what the client says
 * nor what it is sent; and a question for which there is no room goes out at once.
 */
export class EarlyQuestions {
  readonly #results = new LRUCache<string, number>({ max: PROCESSES });
  readonly #waiting = new Set<Question>();
  readonly #bytes: Budget<ServedHub>;
  readonly #time: Time;

  constructor(pools: Pools, time: Time) {
    this.#time = time;
    this.#bytes = pools.open('early_questions', (hub) => {
      for (const question of this.#waiting) if (question.hub === hub) this.#release(question);
    });
  }

  /** Calls `send` with a question of `caller`: now, or with a copy of it when it is time. */
  pass<T>(caller: Caller, { value, bytes, copy }: Lent<T>, send: (value: T) => void): void {
    const { hub } = caller;
    const waitMs = this.#waitOf(caller);
    if (waitMs === undefined || !this.#bytes.take(hub, bytes)) return send(value);
    const copied = copy();
    const question = { hub, bytes, send: () => send(copied) };
    this.#waiting.add(question);
    this.#time.after(waitMs, () => this.#release(question));
  }

  /** A question of this process has been answered. */
  answered({ serverId, software }: Caller): void {
    if (software.losesEarlyAnswers) this.#results.set(serverId, this.#resultsOf(serverId) + 1);
  }

  /** Sends the question out, unless that is done: it may have had to go before its time. */
  #release(question: Question): void {
    if (!this.#waiting.delete(question)) return;
    this.#bytes.give(question.hub, question.bytes);
    question.send();
  }

  #waitOf({ serverId, software }: Caller): number | undefined {
    const results = this.#resultsOf(serverId);
    if (!software.losesEarlyAnswers || results >= FEW_RESULTS) return undefined;
    return results === 0 ? FIRST_MS : WAIT_MS;
  }

  #resultsOf(serverId: string): number {
    return this.#results.get(serverId) ?? 0;
  }
}
