import type { MessageFromServer } from '@trunkline/protocol';
import { AckStatus, MessageType } from '@trunkline/protocol';
import { CLIENT_CLOSE_REASONS } from '../close-reason.ts';
import { refreshAuth, tellClaims } from './auth-refresh.ts';
import { toCommand } from './commands.ts';
import { answerPing } from './pings.ts';
import { answerGroupMembers } from './group-members.ts';
import type { ServerContext } from './server-context.ts';
import type { ServerSession } from './server-session.ts';

/**
 * Does what a message of an app server asks for, but for ConnectionData, which the session relays
 * itself. `body` is the message as it came. Message types that this service does not serve are passed
 * over (service protocol reference, section 9).
 */
export function handleMessage(
  message: MessageFromServer,
  body: Uint8Array,
  server: ServerSession,
  context: ServerContext,
): void {
  if (message.type === MessageType.Ping) {
    answerPing(message.entries, server, context);
  } else if (message.type === MessageType.CloseConnection) {
    closeClient(message.connectionId, message.errorMessage, server, context);
  } else if (message.type === MessageType.ClientInvocation) {
    context.results.invoke(message, server, context);
  } else if (message.type === MessageType.ClientCompletion) {
    context.results.complete(message, server, context);
  } else if (message.type === MessageType.AccessKeyRequest) {
    declineAccessKey(server);
  } else if (message.type === MessageType.GroupMemberQuery) {
    answerGroupMembers(message, server, context.clients);
  } else if (message.type === MessageType.RefreshAuth) {
    refreshAuth(message, server, context);
  } else if (message.type === MessageType.GetConnectionClaims) {
    tellClaims(message, server, context);
  } else {
    const command = toCommand(message);
    if (command === undefined) return;
    const found = server.hub.execute(command, 'local', body);
    if ('ackId' in message) acknowledge(server, message.ackId, found);
  }
}

/** Any server may close any client of its hub; the one that serves it is told (section 8.5). */
function closeClient(
  connectionId: string,
  error: string,
  server: ServerSession,
  context: ServerContext,
): void {
  const client = context.clients.get(connectionId);
  if (client?.hub !== server.hub) return;
  if (client.host === server) client.closedByHost(error);
  // A process that remembers the client speaks of the time when it still served it (section 20.10).
  else if (!server.hub.servers.remembers(server, client))
    client.close(CLIENT_CLOSE_REASONS.closedByAppServer, error || undefined);
}

/** Acks on the server connection that asked, since ack ids are its own (section 10). */
function acknowledge(server: ServerSession, ackId: number, found: boolean): void {
  const status = found ? AckStatus.Ok : AckStatus.NotFound;
  server.write({ type: MessageType.Ack, ackId, status, message: '' });
}

/** Declines the one question that is not served here and that app servers wait for (section 12). */
export function declineAccessKey(server: ServerSession): void {
  server.write({
    type: MessageType.AccessKeyResponse,
    kid: undefined,
    accessKey: undefined,
    errorType: 'NotSupported',
    errorMessage: 'This service signs in by access keys only.',
  });
}
