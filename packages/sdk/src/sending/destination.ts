import type {
  BroadcastData,
  GroupBroadcastData,
  MultiConnectionData,
  MultiGroupBroadcastData,
  MultiUserData,
  UserData,
} from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

/** Whom a send is for: a service message that only lacks its payloads. */
export type Destination =
  | Omit<MultiConnectionData, 'payloads'>
  | Omit<BroadcastData, 'payloads'>
  | Omit<GroupBroadcastData, 'payloads'>
  | Omit<MultiGroupBroadcastData, 'payloads'>
  | Omit<UserData, 'payloads'>
  | Omit<MultiUserData, 'payloads'>;

/** One name or several. */
export type Names = string | readonly string[];

// The messages are those of the .NET SDK (service protocol reference, section 20.5). A selector of
// several names answers undefined for an empty list: there is nobody to send to.

export function toAll(excluded: Names = []): Destination {
  return { type: MessageType.BroadcastData, excludedConnectionIds: listed(excluded) };
}

export function toConnections(ids: Names): Destination | undefined {
  const connectionIds = listed(ids);
  return connectionIds.length === 0
    ? undefined
    : { type: MessageType.MultiConnectionData, connectionIds };
}

export function toGroup(group: string, excluded: Names = []): Destination {
  return {
    type: MessageType.GroupBroadcastData,
    group: groupName(group),
    excludedConnectionIds: listed(excluded),
    excludedUserIds: [],
    callerUserId: undefined,
  };
}

export function toGroups(names: Names): Destination | undefined {
  const groups = listed(names).map(groupName);
  return groups.length === 0 ? undefined : { type: MessageType.MultiGroupBroadcastData, groups };
}

export function toUser(user: string): Destination {
  return { type: MessageType.UserData, userId: name(user) };
}

export function toUsers(users: Names): Destination | undefined {
  const userIds = listed(users);
  return userIds.length === 0 ? undefined : { type: MessageType.MultiUserData, userIds };
}

/** What has to stay in order among themselves: sends with the same key. */
export function orderKey(destination: Destination): string {
  switch (destination.type) {
    case MessageType.MultiConnectionData:
      return destination.connectionIds[0] ?? '';
    case MessageType.BroadcastData:
      return '';
    case MessageType.GroupBroadcastData:
      return destination.group;
    case MessageType.MultiGroupBroadcastData:
      return destination.groups[0] ?? '';
    case MessageType.UserData:
      return destination.userId;
    case MessageType.MultiUserData:
      return destination.userIds[0] ?? '';
  }
}

/** A group's name, checked. */
export function groupName(group: string): string {
  if (name(group) === '') throw new TypeError('Cannot send to an empty group name.');
  return group;
}

/** Names, checked. */
export function listed(names: Names): readonly string[] {
  return typeof names === 'string' ? [names] : names.map(name);
}

/** Held against plain JavaScript callers: another value would break the server connection. */
export function name(given: string): string {
  if (typeof given === 'string') return given;
  throw new TypeError(`a connection, group or user is named by a string, not by ${typeof given}`);
}
