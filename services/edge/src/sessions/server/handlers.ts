import type { GetConnectionClaims, MessageFromServer, RefreshAuth } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { Answer } from '../../model/asker.ts';
import { CLIENT_CLOSE_REASONS } from '../close-reason.ts';
import { claimsAnswer, connectionIdOf, refreshAuth } from './auth-refresh.ts';
import { toCommand } from './commands.ts';
import { answerPing } from './pings.ts';
import { listGroup } from './group-members.ts';
import { ServerAsker } from './server-asker.ts';
import type { ServerContext } from './server-context.ts';
import type { ServerSession } from './server-session.ts';

/**
 * Does what a message of an app server asks for, but for ConnectionData, which the session relays
 * itself. `body` is the message as it came, for other edges. Message types that this service does not
 * serve are passed over (service protocol reference, section 9).
 */
export function handleMessage(
  message: MessageFromServer,
  body: Uint8Array,
  server: ServerSession,
  context: ServerContext,
): void {
  const { hub } = server;
  if (message.type === MessageType.Ping) {
    answerPing(message.entries, server, context);
  } else if (message.type === MessageType.CloseConnection) {
    closeClient(message.connectionId, message.errorMessage, body, server, context);
  } else if (message.type === MessageType.ClientInvocation) {
    context.results.invoke(message, body, server, context);
  } else if (message.type === MessageType.ClientCompletion) {
    context.results.complete(message, body, server, context);
  } else if (message.type === MessageType.AccessKeyRequest) {
    declineAccessKey(server);
  } else if (message.type === MessageType.GroupMemberQuery) {
    listGroup(message, body, hub, new ServerAsker(server, message.ackId), context);
  } else if (message.type === MessageType.RefreshAuth) {
    answerAtHome(message, body, server, context, () => refreshAuth(message, hub, context));
  } else if (message.type === MessageType.GetConnectionClaims) {
    answerAtHome(message, body, server, context, () => claimsAnswer(message, hub, context));
  } else {
    const command = toCommand(message);
    if (command === undefined) return;
    const asker = 'ackId' in message ? new ServerAsker(server, message.ackId) : undefined;
    hub.execute(command, 'local', body, asker);
  }
}

/** Answers what is asked of a connection by its token: here, or at the edge that it is at. */
function answerAtHome(
  question: RefreshAuth | GetConnectionClaims,
  body: Uint8Array,
  server: ServerSession,
  { clients }: ServerContext,
  answer: () => Answer,
): void {
  const asker = new ServerAsker(server, question.ackId);
  const id = connectionIdOf(question);
  if (clients.get(id) !== undefined) return asker.settle(answer());
  server.hub.others.ask({ kind: 'connections', ids: [id] }, 'anyFound', body, asker);
}

/** Any server may close any client of its hub; the one that serves it is told (section 8.5). */
function closeClient(
  connectionId: string,
  error: string,
  body: Uint8Array,
  server: ServerSession,
  context: ServerContext,
): void {
  const { hub } = server;
  const client = context.clients.get(connectionId);
  const served = client ?? context.guests.get(connectionId);
  if (served?.host === server) return served.closedByHost(error);
  // A process that remembers the client speaks of the time when it still served it (section 20.10).
  if (hub.servers.remembers(server, connectionId)) return;
  if (client === undefined) hub.others.tell({ kind: 'connections', ids: [connectionId] }, body);
  else if (client.hub === hub) {
    client.close(CLIENT_CLOSE_REASONS.closedByAppServer, error || undefined);
  }
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
