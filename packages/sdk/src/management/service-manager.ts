import { MessageType } from '@trunkline/protocol';

import type { SendTarget } from '../endpoints/router.ts';
import { checkOptions } from '../option-tables/check.ts';
import { CLOSE_ALL_OPTIONS, CLOSE_OPTIONS } from '../option-tables/tables.ts';
import { HubConnections } from '../presence/hub-connections.ts';
import type { PresenceOptions } from '../presence/presence.ts';
import { Presence } from '../presence/presence.ts';
import { groupName, listed, name } from '../sending/destination.ts';
import { unheeded } from '../unheeded.ts';
import { Groups } from './groups.ts';
import type { CloseAllOptions, CloseOptions, HubManager } from './hub-manager.ts';
import type { ServiceRequest, ServiceRequests } from './service-requests.ts';
import { UserGroups } from './user-groups.ts';

const EVERYBODY: SendTarget = { kind: 'all' };

/**
 * The clients of a hub, wherever they are connected, by the server connections of this server. With
 * several endpoints all that are online are asked: one that knows is enough for a question, and all
 * must confirm a change. Rejects with TrunklineError: `bad-options`, `not-connected`,
 * `outbound-full`, and `ack-timeout` where the service did not confirm within 10 s, or could not.
 */
export class ServiceManager implements HubManager {
  readonly groups: Groups;
  readonly userGroups: UserGroups;
  readonly #requests: ServiceRequests;

  constructor(requests: ServiceRequests) {
    this.groups = new Groups(requests);
    this.userGroups = new UserGroups(requests);
    this.#requests = requests;
  }

  async connectionExists(connectionId: string): Promise<boolean> {
    const type = MessageType.CheckConnectionExistenceWithAck;
    const message = { type, connectionId: name(connectionId) };
    const what = 'asking for the connection';
    return this.#requests.ofConnection(connectionId, { message, what });
  }

  /** Whether any connection is in the group. */
  async groupExists(group: string): Promise<boolean> {
    const message = { type: MessageType.CheckGroupExistenceWithAck, group: groupName(group) };
    return this.#requests.onAny(groups(group), { message, what: 'asking for the group' });
  }

  /** Whether the user has any connection. */
  async userExists(userId: string): Promise<boolean> {
    const message = { type: MessageType.CheckUserExistenceWithAck, userId: name(userId) };
    return this.#requests.onAny(users(userId), { message, what: 'asking for the user' });
  }

  get connections(): HubConnections {
    return new HubConnections(this.#requests.directories);
  }

  /** Who is in a group, and who joins and leaves it. */
  presence(group: string, options: PresenceOptions = {}): Presence {
    return new Presence(this.#requests.directories, group, options);
  }

  /** Closes it for good, and resolves when it is closed. Nothing happens when it does not exist. */
  closeConnection(connectionId: string, options: CloseOptions = {}): Promise<void> {
    return unheeded(this.#closeConnection(connectionId, options));
  }

  /** Every connection of the hub, those of other servers too. */
  closeAll(options: CloseAllOptions = {}): Promise<void> {
    const type = MessageType.CloseConnectionsWithAck;
    return this.#close(EVERYBODY, () => ({ type, ...closing('closeAll', options) }));
  }

  closeGroup(group: string, options: CloseAllOptions = {}): Promise<void> {
    const type = MessageType.CloseGroupConnectionsWithAck;
    return this.#close(groups(group), () => ({
      type,
      group: groupName(group),
      ...closing('closeGroup', options),
    }));
  }

  closeUser(userId: string, options: CloseAllOptions = {}): Promise<void> {
    const type = MessageType.CloseUserConnectionsWithAck;
    return this.#close(users(userId), () => ({
      type,
      userId: name(userId),
      ...closing('closeUser', options),
    }));
  }

  /** Closes it for good and waits for nobody, as `context.abort()` does from inside. */
  abort(connectionId: string): void {
    const type = MessageType.CloseConnection;
    const message = {
      type,
      connectionId: name(connectionId),
      errorMessage: '',
      headers: new Map(),
    };
    // The service does not tell a server of a close that comes from itself.
    const here = this.#requests.clientHere(connectionId);
    if (here !== undefined) return here.context.abort();
    for (const connection of this.#requests.connectionsTo(connectionId)) connection.send(message);
  }

  async #closeConnection(connectionId: string, options: CloseOptions): Promise<void> {
    checkOptions('closeConnection', CLOSE_OPTIONS, options);
    const type = MessageType.CloseConnectionWithAck;
    const message = { type, connectionId: name(connectionId), reason: options.reason };
    await this.#requests.ofConnection(connectionId, { message, what: 'closing the connection' });
  }

  #close(target: SendTarget, message: () => ServiceRequest['message']): Promise<void> {
    const work = async () => {
      const what = 'closing the connections';
      await this.#requests.onAll(target, { message: message(), what });
    };
    return unheeded(work());
  }
}

function closing(method: string, options: CloseAllOptions) {
  checkOptions(method, CLOSE_ALL_OPTIONS, options);
  return { reason: options.reason, excludedConnectionIds: listed(options.except ?? []) };
}

function groups(group: string): SendTarget {
  return { kind: 'groups', names: [group] };
}

function users(userId: string): SendTarget {
  return { kind: 'users', names: [userId] };
}
