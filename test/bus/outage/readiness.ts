import { setTimeout as pause } from 'node:timers/promises';

const PACE_MS = 200;
/** A process that is frozen does not answer. */
const PATIENCE_MS = 1_000;

/** What `/ready` of an edge has answered, when it was asked, and when it had answered. */
export interface Readiness {
  readonly at: number;
  readonly answeredAt: number;
  /** Undefined where there was no answer. */
  readonly status: number | undefined;
}

/** Asks an edge all the time whether it is ready. */
export class ReadinessLog {
  readonly answers: Readiness[] = [];
  #isAsking = true;
  readonly #asking: Promise<void>;

  /** `adminUrl`: of the edge that is there now. */
  constructor(adminUrl: () => string) {
    this.#asking = this.#ask(adminUrl);
  }

  async stop(): Promise<void> {
    this.#isAsking = false;
    await this.#asking;
  }

  async #ask(adminUrl: () => string): Promise<void> {
    while (this.#isAsking) {
      const at = performance.now();
      const status = await readiness(adminUrl());
      this.answers.push({ at, answeredAt: performance.now(), status });
      await pause(PACE_MS);
    }
  }
}

async function readiness(adminUrl: string): Promise<number | undefined> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return (await fetch(`${adminUrl}/ready`, { signal })).status;
  } catch {
    return undefined;
  }
}
