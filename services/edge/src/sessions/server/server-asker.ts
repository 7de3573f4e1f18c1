import { MessageType } from '@trunkline/protocol';
import type { Answer, Asker } from '../../model/asker.ts';
import type { ServerSession } from './server-session.ts';

/** An app server that waits for an ack, on the server connection that asked, since ack ids are its own (section 10). */
export class ServerAsker implements Asker {
  readonly #server: ServerSession;
  readonly #ackId: number;

  constructor(server: ServerSession, ackId: number) {
    this.#server = server;
    this.#ackId = ackId;
  }

  settle({ status, message, payload }: Answer): void {
    const ack = { type: MessageType.Ack, ackId: this.#ackId, status, message } as const;
    this.#server.write(payload === undefined ? ack : { ...ack, payload });
  }
}
