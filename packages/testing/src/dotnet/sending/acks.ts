import { AckStatus } from '@trunkline/protocol';

import type { Clock } from '../clock.ts';
import { DotnetException } from '../exception.ts';

const LONGEST_MS = 10_000;
const SWEEP_MS = 3_000;

interface Waiting {
  readonly since: number;
  readonly settle: (status: number) => void;
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
    const ackId = ++this.#last;
    const answered = new Promise<number>((resolve, reject) => {
      this.#waiting.set(ackId, { since: this.#clock.now(), settle: resolve, fail: reject });
    });
    try {
      send(ackId);
    } catch (error) {
      this.#waiting.delete(ackId);
      throw error;
    }
    return this.#outcome(await answered);
  }

  /** An id that nobody waits for is passed over. */
  acked(ackId: number, status: number): void {
    const waiting = this.#waiting.get(ackId);
    this.#waiting.delete(ackId);
    waiting?.settle(status);
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
