import type { Payloads } from '@trunkline/protocol';
import { LRUCache } from 'lru-cache';
import type { ServerSession } from './server-session.ts';

/** How long a question waits: a process was seen to need 20 ms, on a machine with nothing else to do. */
const WAIT_MS = 100;
/** A process that has had so many results has all its code compiled. */
const FEW_RESULTS = 3;
/** What may wait at a time; more goes out at once. */
const WAITING_BYTES = 1024 * 1024;
/** Processes whose results are counted; one that is forgotten is given time again. */
const PROCESSES = 1024;

/**
 * The first questions of app servers to clients. A process that loses answers which come too soon (see
 * `losesEarlyAnswers`) is given time: its question goes out to the client late, so that the answer
 * cannot be early, by whichever server it comes back. Nothing else waits, neither what the client says
 * nor what it is sent.
 */
export class EarlyQuestions {
  readonly #results = new LRUCache<string, number>({ max: PROCESSES });
  #bytes = 0;

  /** Calls `send` with the payloads of a question of `caller`: now, or with a copy of them when it is time. */
  pass(caller: ServerSession, payloads: Payloads, send: (payloads: Payloads) => void): void {
    const bytes = [...payloads.values()].reduce((sum, { length }) => sum + length, 0);
    if (!this.#isYoung(caller) || this.#bytes + bytes > WAITING_BYTES) return send(payloads);
    const copies = new Map([...payloads].map(([name, lent]) => [name, Uint8Array.from(lent)]));
    this.#bytes += bytes;
    setTimeout(() => {
      this.#bytes -= bytes;
      send(copies);
    }, WAIT_MS).unref();
  }

  /** A question of this process has its answer. */
  answered({ serverId, losesEarlyAnswers }: ServerSession): void {
    if (losesEarlyAnswers) this.#results.set(serverId, this.#resultsOf(serverId) + 1);
  }

  #isYoung({ serverId, losesEarlyAnswers }: ServerSession): boolean {
    return losesEarlyAnswers && this.#resultsOf(serverId) < FEW_RESULTS;
  }

  #resultsOf(serverId: string): number {
    return this.#results.get(serverId) ?? 0;
  }
}
