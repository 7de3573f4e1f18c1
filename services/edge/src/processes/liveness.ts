import type { Logger } from '@trunkline/telemetry';
import type { EndTimer, Time } from '../ports/time.ts';
import type { ask } from './ask.ts';
import type { KeptEdge } from './kept-edge.ts';

const ROUND_MS = 2_000;
/** A round that is later than that does not count: the parent stood still, and maybe the machine. */
const LATE_MS = 1_000;
/** An edge that owes an answer for so many rounds, which are ten seconds, is frozen. */
const SILENT_ROUNDS = 5;
/** A frozen edge is killed well before, which ends the question, too. */
const WITHIN_MS = 60_000;

type Watched = Pick<KeptEdge, 'id' | 'adminUrl' | 'signal'>;

export interface LivenessParts {
  readonly edges: readonly Watched[];
  readonly ask: (...args: Parameters<typeof ask>) => Promise<unknown>;
  readonly time: Pick<Time, 'now' | 'every'>;
  readonly log: Logger;
}

/**
 * Kills edges that are frozen, so that they are started again: the kernel would go on giving such a one
 * its part of the new connections. Asks each edge that listens, and again when it has answered. Any end
 * of a question but its deadline says that the process goes on, or is gone: a frozen one says nothing.
 */
export class Liveness {
  readonly #parts: LivenessParts;
  /** For how many rounds edges have owed the answer to the question that they were asked. */
  readonly #owed = new Map<Watched, number>();
  readonly #endTimer: EndTimer;
  #roundAt: number;

  constructor(parts: LivenessParts) {
    this.#parts = parts;
    this.#roundAt = parts.time.now();
    this.#endTimer = parts.time.every(ROUND_MS, () => this.#round());
  }

  stop(): void {
    this.#endTimer();
  }

  #round(): void {
    const now = this.#parts.time.now();
    const isLate = now - this.#roundAt > ROUND_MS + LATE_MS;
    this.#roundAt = now;
    for (const edge of this.#parts.edges) {
      const rounds = this.#owed.get(edge);
      if (rounds === undefined) this.#ask(edge);
      else if (!isLate) this.#isSilent(edge, rounds + 1);
    }
  }

  #ask(edge: Watched): void {
    // One that is starting has no part of the port yet.
    if (edge.adminUrl === undefined) return;
    this.#owed.set(edge, 0);
    void this.#parts
      .ask(edge.adminUrl, { path: '/live', withinMs: WITHIN_MS })
      .then(() => this.#owed.delete(edge));
  }

  #isSilent(edge: Watched, rounds: number): void {
    this.#owed.set(edge, rounds);
    if (rounds !== SILENT_ROUNDS) return;
    const silentMs = SILENT_ROUNDS * ROUND_MS;
    this.#parts.log.error({ edgeId: edge.id, silentMs }, 'edge does not answer: killing it');
    edge.signal('SIGKILL');
  }
}
