import type { ListedMember } from '@trunkline/protocol';
import { AckStatus, decodeGroupPage, MessageType } from '@trunkline/protocol';

import { DotnetException } from '../exception.ts';
import type { HubServer } from '../hub-server.ts';

/** `ClientManager` of a hub context of the Management SDK, and the listing of a group. */
export class ClientManager {
  readonly #hub: HubServer;

  constructor(hub: HubServer) {
    this.#hub = hub;
  }

  /** Resolves when it has been handed over: the service acknowledges nothing (section 8.5). */
  async close(connectionId: string, reason = ''): Promise<void> {
    this.#hub.connectionFor(undefined, connectionId).write({
      type: MessageType.CloseConnection,
      connectionId,
      errorMessage: reason,
      headers: new Map(),
    });
  }

  closeOne(connectionId: string, reason: string): Promise<boolean> {
    const type = MessageType.CloseConnectionWithAck;
    return this.#hub.request((ackId) => ({ type, connectionId, reason, ackId }), connectionId);
  }

  closeUser(userId: string, reason: string, excluded: readonly string[] = []): Promise<boolean> {
    const type = MessageType.CloseUserConnectionsWithAck;
    const rest = { reason, excludedConnectionIds: excluded };
    return this.#hub.request((ackId) => ({ type, userId, ackId, ...rest }), userId);
  }

  closeGroup(group: string, reason: string, excluded: readonly string[] = []): Promise<boolean> {
    const type = MessageType.CloseGroupConnectionsWithAck;
    const rest = { reason, excludedConnectionIds: excluded };
    return this.#hub.request((ackId) => ({ type, group, ackId, ...rest }), group);
  }

  closeAll(reason: string, excluded: readonly string[] = []): Promise<boolean> {
    const type = MessageType.CloseConnectionsWithAck;
    const rest = { reason, excludedConnectionIds: excluded };
    return this.#hub.request((ackId) => ({ type, ackId, ...rest }));
  }

  connectionExists(connectionId: string): Promise<boolean> {
    const type = MessageType.CheckConnectionExistenceWithAck;
    return this.#hub.request((ackId) => ({ type, connectionId, ackId }), connectionId);
  }

  userExists(userId: string): Promise<boolean> {
    const type = MessageType.CheckUserExistenceWithAck;
    return this.#hub.request((ackId) => ({ type, userId, ackId }), userId);
  }

  groupExists(group: string): Promise<boolean> {
    const type = MessageType.CheckGroupExistenceWithAck;
    return this.#hub.request((ackId) => ({ type, group, ackId }), group);
  }

  /** The pages of a group, until there is none behind (section 18.5). */
  async *pages(group: string, maxPageSize?: number): AsyncGenerator<readonly ListedMember[]> {
    const type = MessageType.GroupMemberQuery;
    let continuationToken: string | undefined;
    do {
      const query = { type, group, top: undefined, continuationToken, maxPageSize };
      const { status, payload } = await this.#hub.acks.ask((ackId) => {
        this.#hub.connectionFor(undefined, group).write({ ...query, ackId });
      });
      if (status !== AckStatus.Ok) {
        throw new DotnetException('AzureSignalRException', `gets error ack status ${status}.`);
      }
      const { members, next } = decodeGroupPage(payload);
      yield members;
      continuationToken = next;
    } while (continuationToken !== undefined);
  }
}
