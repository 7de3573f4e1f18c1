import { AckStatus } from '@trunkline/protocol';

import { TrunklineError } from '../errors.ts';
import type { ServerConnection } from './server-connection.ts';

const ACK_TIMEOUT_MS = 10_000;

interface Waiting {
  readonly connection: ServerConnection;
  readonly deadline: number;
  readonly resolve: (found: boolean) => void;
  readonly reject: (error: TrunklineError) => void;
}

/** Requests that the service confirms, by ack id (service protocol reference, section 10). */
export class Acks {
  /** In the order of their deadlines, since all wait equally long. */
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /**
   * Calls `send` with a fresh ack id; resolves on the service's ack, within 10 s or not at all, with
   * whether what was named is there.
   */
  request(
    connection: ServerConnection,
    now: number,
    send: (ackId: number) => void,
  ): Promise<boolean> {
    const ackId = ++this.#lastId;
    return new Promise((resolve, reject) => {
      send(ackId);
      this.#waiting.set(ackId, { connection, deadline: now + ACK_TIMEOUT_MS, resolve, reject });
    });
  }

  settle(ackId: number, status: number): void {
    const waiting = this.#take(ackId);
    if (status === AckStatus.Ok) waiting?.resolve(true);
    else if (status === AckStatus.NotFound) waiting?.resolve(false);
    else waiting?.reject(failed(`the service could not do it (ack status ${status})`));
  }

  /** The service answers on the connection it was asked on, so these answers are lost. */
  lost(connection: ServerConnection): void {
    for (const [ackId, waiting] of this.#waiting) {
      if (waiting.connection !== connection) continue;
      this.#take(ackId);
      waiting.reject(failed('the server connection was lost before the service confirmed'));
    }
  }

  expire(now: number): void {
    for (const [ackId, waiting] of this.#waiting) {
      if (waiting.deadline > now) return;
      this.#take(ackId);
      waiting.reject(failed('the service did not confirm within 10 s'));
    }
  }

  #take(ackId: number): Waiting | undefined {
    const waiting = this.#waiting.get(ackId);
    this.#waiting.delete(ackId);
    return waiting;
  }
}

function failed(why: string): TrunklineError {
  return new TrunklineError('ack-timeout', `joining or leaving the group is uncertain: ${why}`);
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
