import type { UnreadableMessage } from '@trunkline/protocol';
import { AckStatus, MessageType } from '@trunkline/protocol';

import type { ClientAnswers } from '../sending/client-answers.ts';
import type { Acks } from '../trunk/acks.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';
import type { HubClients } from './hub-clients.ts';

/** Of a client, to who has asked it. */
const ANSWERS = new Set<unknown>([MessageType.ClientCompletion, MessageType.ErrorCompletion]);

interface Hub {
  readonly clients: HubClients;
  readonly acks: Acks;
  readonly answers: ClientAnswers;
}

/**
 * What comes of a message of the service that cannot be read, for those who wait for it: as far as
 * there is enough left of it to tell who they are, they learn of it at once instead of in vain.
 */
export function passOver(
  { error, remains, typeName }: UnreadableMessage,
  connection: ServerConnection,
  { clients, acks, answers }: Hub,
): void {
  const why = `a ${typeName} of the service cannot be read: ${error.message}`;
  const { type, connectionId, ackId, invocationId } = remains;
  if (type === MessageType.OpenConnection && typeof connectionId === 'string') {
    // Nobody serves this client, who would wait for its handshake response.
    const headers = new Map<string, string[]>();
    connection.post({
      type: MessageType.CloseConnection,
      connectionId,
      errorMessage: why,
      headers,
    });
  } else if (type === MessageType.CloseConnection && typeof connectionId === 'string') {
    const client = clients.get(connectionId);
    if (client?.trunk === connection) client.gone();
  } else if (type === MessageType.Ack && typeof ackId === 'number') {
    acks.settle({
      type,
      ackId,
      status: AckStatus.InternalServerError,
      message: why,
    });
  } else if (ANSWERS.has(type) && typeof invocationId === 'string') {
    answers.unreadable(invocationId, why);
  }
}
