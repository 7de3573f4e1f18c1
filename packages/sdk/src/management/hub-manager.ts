import type { HubConnections } from '../presence/hub-connections.ts';
import type { Presence, PresenceOptions } from '../presence/presence.ts';
import type { Names } from '../sending/destination.ts';

// What can be asked of a hub's clients, by whichever way: over a server connection, or by REST.

export interface GroupMember {
  readonly connectionId: string;
  /** Absent where nobody has signed in. */
  readonly userId?: string;
}

export interface ListOptions {
  /** No more than so many. */
  readonly top?: number;
}

export interface PageOptions {
  /** Connections on the page, at most. Default: what the service likes. */
  readonly size?: number;
  /** Of the page before; none for the first. */
  readonly continuationToken?: string | undefined;
}

export interface GroupPage {
  readonly members: readonly GroupMember[];
  /** Asks for the next page; undefined after the last. */
  readonly continuationToken: string | undefined;
}

export interface UserGroupOptions {
  /**
   * For how many seconds connections that the user makes later join too. Default: as long as the
   * service remembers; 0 adds those of now only.
   */
  readonly ttl?: number;
}

export interface CloseOptions {
  /** What the clients' `onclose` is told. */
  readonly reason?: string;
}

export interface CloseAllOptions extends CloseOptions {
  /** Connections that stay. */
  readonly except?: Names;
}

/** Which connections are in which groups; every change counts as soon as it resolves. */
export interface GroupManager {
  /** Nothing happens when the connection does not exist. */
  add(connectionId: string, group: string): Promise<void>;
  /** Nothing happens when the connection does not exist. */
  remove(connectionId: string, group: string): Promise<void>;
  removeFromAll(connectionId: string): Promise<void>;
  /** The connections of a group, asked for page by page as they are read. */
  connections(group: string, options?: ListOptions): AsyncIterable<GroupMember>;
  /** One page of them, for callers that come back for the next. */
  page(group: string, options?: PageOptions): Promise<GroupPage>;
}

/** Which users are in which groups: their connections of now, and those that they make later. */
export interface UserGroupManager {
  add(userId: string, group: string, options?: UserGroupOptions): Promise<void>;
  remove(userId: string, group: string): Promise<void>;
  removeFromAll(userId: string): Promise<void>;
  /** Whether any connection of the user is in the group. */
  has(userId: string, group: string): Promise<boolean>;
}

/** The clients of a hub, wherever they are connected. */
export interface HubManager {
  readonly groups: GroupManager;
  readonly userGroups: UserGroupManager;
  /** How many connections the hub, a group or a user has, and which. */
  readonly connections: HubConnections;
  /** Who is in a group, and who joins and leaves it. */
  presence(group: string, options?: PresenceOptions): Presence;
  connectionExists(connectionId: string): Promise<boolean>;
  /** Whether any connection is in the group. */
  groupExists(group: string): Promise<boolean>;
  /** Whether the user has any connection. */
  userExists(userId: string): Promise<boolean>;
  /** Closes it for good. Nothing happens when it does not exist. */
  closeConnection(connectionId: string, options?: CloseOptions): Promise<void>;
  closeAll(options?: CloseAllOptions): Promise<void>;
  closeGroup(group: string, options?: CloseAllOptions): Promise<void>;
  closeUser(userId: string, options?: CloseAllOptions): Promise<void>;
}
