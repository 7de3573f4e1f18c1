import { AckStatus } from '@trunkline/protocol';

import { TrunklineError } from '../errors.ts';
import type { ServerConnection } from './server-connection.ts';

const ACK_TIMEOUT_MS = 10_000;

interface Waiting {
  readonly connection: ServerConnection;
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (error: TrunklineError) => void;
}

/** Requests that the service confirms, by ack id (service protocol reference, section 10). */
export class Acks {
  /** In the order of their deadlines, since all wait equally long. */
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** Calls `send` with a fresh ack id; resolves on the service's ack, within 10 s or not at all. */
  request(connection: ServerConnection, now: number, send: (ackId: number) => void): Promise<void> {
    const ackId = ++this.#lastId;
    send(ackId);
    return new Promise((resolve, reject) => {
      this.#waiting.set(ackId, { connection, deadline: now + ACK_TIMEOUT_MS, resolve, reject });
    });
  }

  /** Not found is no error: the connection has gone, and its groups with it. */
  settle(ackId: number, status: number): void {
    const waiting = this.#take(ackId);
    if (status === AckStatus.Ok || status === AckStatus.NotFound) waiting?.resolve();
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
