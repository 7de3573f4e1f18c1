import type { MessageFromServer } from '@trunkline/protocol';
import {
  AckStatus,
  MessageType,
  readBroadcast,
  readServiceMessage,
  UnreadableMessage,
} from '@trunkline/protocol';
import type { EdgeContext } from '../edge-context.ts';
import { declineAccessKey } from './handlers.ts';
import type { ServerSession } from './server-session.ts';

/**
 * Reads the message in a frame, `bytes[start, end)`; undefined for one of a kind that is not known.
 * One that cannot be read costs nobody a connection either, for the frames around it are good: it is
 * counted, logged, answered where an answer is awaited, and passed over. SDKs of all ages come here,
 * and one layout that is new must not move every client of theirs.
 */
export function readMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  server: ServerSession,
  context: EdgeContext,
): MessageFromServer | undefined {
  const message = readBroadcast(bytes, start, end) ?? readServiceMessage(bytes, start, end);
  if (!(message instanceof UnreadableMessage)) return message as MessageFromServer | undefined;
  passOver(message, server, context);
  return undefined;
}

function passOver(
  { error, remains, typeName: type }: UnreadableMessage,
  server: ServerSession,
  { counters, digest }: EdgeContext,
): void {
  counters.unreadableMessages.add(type);
  const { hub, serverId } = server;
  const cause = { hub: hub.name, serverId, type, code: error.code };
  digest.warn(cause, 'message passed over that cannot be read', { err: error.message });
  answer(remains, `The service cannot read this ${type}: ${error.message}.`, server);
}

/** Answers with an error, if enough of the message can be read to tell who waits for the answer. */
function answer(remains: UnreadableMessage['remains'], error: string, server: ServerSession): void {
  const { type, ackId, invocationId, connectionId, callerServerId } = remains;
  if (type === MessageType.AccessKeyRequest) {
    declineAccessKey(server);
  } else if (typeof ackId === 'number' && type !== MessageType.Ack) {
    const status = AckStatus.InternalServerError;
    server.write({ type: MessageType.Ack, ackId, status, message: error });
  } else if (type === MessageType.ClientInvocation && typeof invocationId === 'string') {
    server.write({
      type: MessageType.ErrorCompletion,
      invocationId,
      connectionId: typeof connectionId === 'string' ? connectionId : '',
      callerServerId: typeof callerServerId === 'string' ? callerServerId : server.serverId,
      error,
    });
  }
}
