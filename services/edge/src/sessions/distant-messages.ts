import type { MessageFromServer } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { Asker } from '../model/asker.ts';
import { NOT_FOUND } from '../model/asker.ts';
import { CLIENT_CLOSE_REASONS } from './close-reason.ts';
import { ownCount } from './counting.ts';
import { filteredCommand } from './filtered-commands.ts';
import type { HubRuntime } from './hub-runtime.ts';
import { ownPage } from './listing.ts';
import { listingOf, scopeOf } from './presence-messages.ts';
import { claimsAnswer, refreshAuth } from './server/auth-refresh.ts';
import { DistantCaller } from './server/caller.ts';
import { toCommand } from './server/commands.ts';
import { groupListing } from './server/group-members.ts';
import type { ServerContext } from './server/server-context.ts';

/** Where a message of another edge comes from, and who waits there for what comes of it. */
export interface Sender {
  readonly edgeId: string;
  readonly asker: Asker | undefined;
}

/**
 * Does for an app server of another edge what its message asks for, as far as this edge can. It goes no
 * further, so nothing circles.
 */
export function handleDistantMessage(
  message: MessageFromServer,
  hub: HubRuntime,
  { edgeId, asker }: Sender,
  context: ServerContext,
): void {
  if (message.type === MessageType.CloseConnection) {
    const client = context.clients.get(message.connectionId);
    if (client?.hub !== hub) return;
    client.close(CLIENT_CLOSE_REASONS.closedByAppServer, message.errorMessage || undefined);
  } else if (message.type === MessageType.ClientInvocation) {
    if (asker === undefined) return;
    // Every edge may have been asked: only the one that has the client answers for it.
    if (context.clients.get(message.connectionId)?.hub !== hub) return asker.settle(NOT_FOUND);
    const caller = new DistantCaller(message.callerServerId, hub, edgeId, asker);
    context.results.invokeHere(message, caller, context);
  } else if (message.type === MessageType.ClientCompletion) {
    context.results.withdrawn(message, edgeId);
  } else if (message.type === MessageType.GroupMemberQuery) {
    asker?.settle(ownPage(groupListing(message), hub, context));
  } else if (message.type === MessageType.ConnectionsQuery) {
    asker?.settle(ownPage(listingOf(message), hub, context));
  } else if (message.type === MessageType.CountQuery) {
    asker?.settle(ownCount(scopeOf(message), hub, context));
  } else if (message.type === MessageType.RefreshAuth) {
    asker?.settle(refreshAuth(message, hub, context));
  } else if (message.type === MessageType.GetConnectionClaims) {
    asker?.settle(claimsAnswer(message, hub, context));
  } else {
    const isFiltered = message.type === MessageType.FilteredCommands;
    const command = isFiltered ? filteredCommand(message) : toCommand(message);
    if (command !== undefined) hub.execute(command, undefined, asker);
  }
}
