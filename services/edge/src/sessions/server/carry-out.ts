import type { GetConnectionClaims, MessageFromServer, RefreshAuth } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { Answer, Asker } from '../../model/asker.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { listConnections } from '../listing.ts';
import { claimsAnswer, connectionIdOf, refreshAuth } from './auth-refresh.ts';
import { toCommand } from './commands.ts';
import { groupListing } from './group-members.ts';
import type { ServerContext } from './server-context.ts';

/**
 * Does at this edge, and at others, what an app server asks of a hub, or a REST call that says the same.
 * `body`: the message, for other edges. Without an asker nobody waits for what comes of it.
 */
export function carryOut(
  message: MessageFromServer,
  body: Uint8Array,
  hub: HubRuntime,
  asker: Asker | undefined,
  context: ServerContext,
): void {
  switch (message.type) {
    case MessageType.GroupMemberQuery:
      if (asker === undefined) break;
      listConnections(groupListing(message), body, hub, asker, context);
      break;
    case MessageType.RefreshAuth:
    case MessageType.GetConnectionClaims:
      answerAtHome(message, body, hub, asker, context);
      break;
    default: {
      const command = toCommand(message);
      if (command !== undefined) hub.execute(command, body, asker);
    }
  }
}

/** Answers what is asked of a connection by its token: here, or at the edge that it is at. */
function answerAtHome(
  question: RefreshAuth | GetConnectionClaims,
  body: Uint8Array,
  hub: HubRuntime,
  asker: Asker | undefined,
  context: ServerContext,
): void {
  if (asker === undefined) return;
  const id = connectionIdOf(question);
  const isHere = context.clients.get(id) !== undefined;
  if (isHere) return asker.settle(answerHere(question, hub, context));
  hub.others.ask({ kind: 'connections', ids: [id] }, 'anyFound', body, asker);
}

function answerHere(
  question: RefreshAuth | GetConnectionClaims,
  hub: HubRuntime,
  context: ServerContext,
): Answer {
  return question.type === MessageType.RefreshAuth
    ? refreshAuth(question, hub, context)
    : claimsAnswer(question, hub, context);
}
