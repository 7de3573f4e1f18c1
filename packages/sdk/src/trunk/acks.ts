import type { Ack } from '@trunkline/protocol';
import { AckStatus } from '@trunkline/protocol';

import { TrunklineError } from '../errors.ts';
import type { ServerConnection } from './server-connection.ts';

const ACK_TIMEOUT_MS = 10_000;
/** What may wait at a time, some 100 MB. */
export const MOST_WAITING = 250_000;
const ANSWERS = new Set<number>([AckStatus.Ok, AckStatus.NotFound, AckStatus.Forbidden]);

interface Waiting {
  readonly connection: ServerConnection;
  readonly deadline: number;
  readonly what: string;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: TrunklineError) => void;
}

/** Requests that the service confirms, by ack id (service protocol reference, section 10). */
export class Acks {
  /** In the order of their deadlines, since all wait equally long. */
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /**
   * Calls `send` with a fresh ack id; resolves on the service's ack, within 10 s or not at all, where
   * it says done, not found or forbidden. `what` is asked for errors, "joining the group". Rejects
   * with TrunklineError `ack-timeout`, and `outbound-full` where too much waits for the service.
   */
  ask(
    what: string,
    connection: ServerConnection,
    now: number,
    send: (ackId: number) => void,
  ): Promise<Ack> {
    const ackId = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#waiting.size >= MOST_WAITING) throw tooMany();
      send(ackId);
      const deadline = now + ACK_TIMEOUT_MS;
      this.#waiting.set(ackId, { connection, deadline, what, resolve, reject });
    });
  }

  settle(ack: Ack): void {
    const { ackId, status, message } = ack;
    const waiting = this.#take(ackId);
    if (waiting === undefined) return;
    if (ANSWERS.has(status)) return waiting.resolve(ack);
    const why = message === '' ? '' : `: ${message}`;
    waiting.reject(failed(waiting, `the service could not do it (ack status ${status})${why}`));
  }

  /** The service answers on the connection it was asked on, so these answers are lost. */
  lost(connection: ServerConnection): void {
    for (const [ackId, waiting] of this.#waiting) {
      if (waiting.connection !== connection) continue;
      this.#take(ackId);
      waiting.reject(
        failed(waiting, 'the server connection was lost before the service confirmed'),
      );
    }
  }

  expire(now: number): void {
    for (const [ackId, waiting] of this.#waiting) {
      if (waiting.deadline > now) return;
      this.#take(ackId);
      waiting.reject(failed(waiting, 'the service did not confirm within 10 s'));
    }
  }

  #take(ackId: number): Waiting | undefined {
    const waiting = this.#waiting.get(ackId);
    this.#waiting.delete(ackId);
    return waiting;
  }
}

function tooMany(): TrunklineError {
  return new TrunklineError(
    'outbound-full',
    `${MOST_WAITING} requests wait for the service to confirm them; ask less, or later`,
  );
}

function failed({ what }: Waiting, why: string): TrunklineError {
  return new TrunklineError('ack-timeout', `${what} is uncertain: ${why}`);
}

/**
 * The one answer of several endpoints that were asked the same: yes as soon as one says so; else, when
 * all have answered, the first failure, or no (service protocol reference, section 10).
 */
export async function foundOnAny(answers: readonly Promise<boolean>[]): Promise<boolean> {
  const absent = new Error('not found');
  try {
    return await Promise.any(
      answers.map(async (answer) => {
        if (await answer) return true;
        throw absent;
      }),
    );
  } catch (error) {
    const failure = (error as AggregateError).errors.find((one) => one !== absent) as unknown;
    if (failure === undefined) return false;
    throw failure;
  }
}

/**
 * The same where all must do it, whether or not they find anything: rejects with the first failure
 * when all have answered.
 */
export async function doneOnAll(answers: readonly Promise<boolean>[]): Promise<void> {
  const outcomes = await Promise.allSettled(answers);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
