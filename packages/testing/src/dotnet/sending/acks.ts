import { AckStatus } from '@trunkline/protocol';

import type { Clock } from '../clock.ts';
import { DotnetException } from '../exception.ts';

const LONGEST_MS = 10_000;
const SWEEP_MS = 3_000;

/** What an ack says. */
export interface Answer {
  readonly status: number;
  readonly payload: Uint8Array | undefined;
}

interface Waiting {
  readonly since: number;
  readonly settle: (answer: Answer) => void;
  readonly fail: (error: Error) => void;
}

/** Acks that are awaited, counted from 1 (service protocol reference, section 10). */
export class Acks {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  readonly #oldStatuses: boolean;
  readonly #cancelSweep: () => void;
  #last = 0;

  /** `oldStatuses`: every status but 1 to 3 is the old version's InvalidDataException. */
  constructor(clock: Clock, oldStatuses: boolean) {
    this.#clock = clock;
    this.#oldStatuses = oldStatuses;
    this.#cancelSweep = clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** Calls `send` with the next id; resolves to whether the service has found what was named. */
  async request(send: (ackId: number) => void): Promise<boolean> {
    return this.#outcome((await this.ask(send)).status);
  }

  /** Calls `send` with the next id; resolves to what the ack says, whatever that is. */
  async ask(send: (ackId: number) => void): Promise<Answer> {
    const ackId = ++this.#last;
    const answered = new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(ackId, { since: this.#clock.now(), settle: resolve, fail: reject });
    });
    try {
      send(ackId);
    } catch (error) {
      this.#waiting.delete(ackId);
      throw error;
    }
    return answered;
  }

  /** An id that nobody waits for is passed over. */
  acked(ackId: number, status: number, payload?: Uint8Array): void {
    const waiting = this.#waiting.get(ackId);
    this.#waiting.delete(ackId);
    waiting?.settle({ status, payload });
  }

  stop(): void {
    this.#cancelSweep();
  }

  #outcome(status: number): boolean {
    if (status === AckStatus.Ok) return true;
    if (status === AckStatus.NotFound) return false;
    if (status === AckStatus.Timeout) throw timedOut();
    if (this.#oldStatuses) {
      throw new DotnetException('InvalidDataException', `Unexpected ack status ${status}`);
    }
    if (status === AckStatus.InternalServerError) throw timedOut();
    throw new DotnetException('AzureSignalRException', `gets error ack status ${status}.`);
  }

  #sweep(): void {
    for (const [ackId, { since, fail }] of this.#waiting) {
      if (this.#clock.now() - since <= LONGEST_MS) return;
      this.#waiting.delete(ackId);
      fail(timedOut());
    }
  }
}

function timedOut(): DotnetException {
  return new DotnetException('TimeoutException', 'Waiting for ack timed out.');
}
