import type { MessageFromServer, Payloads } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { Command, Exclusions, Target } from '../../model/command.ts';
import { NOBODY } from '../../model/command.ts';
import type { HubRuntime } from '../hub-runtime.ts';

/**
 * What a message asks of the hub, or undefined where it asks something else. Duties: service
 * protocol reference, section 9.
 */
export function toCommand(message: MessageFromServer): Command | undefined {
  return sendCommand(message) ?? groupCommand(message) ?? checkOrClose(message);
}

/** Connections here that a message concerns, or edges that it is asked of, at most, to cost little. */
const FEW = 4;

export const isFew = (count: number): boolean => count <= FEW;

/**
 * Whether it costs little where it reaches few: it names one audience, one connection or one user, and
 * nobody is looked at whom it does not concern. A list of ids is looked up one by one, and of users that
 * are left out each connection; who leaves all groups leaves them one by one; and what is to be acked may
 * be asked of every other edge.
 */
export function isSlight(message: MessageFromServer, hub: HubRuntime): boolean {
  switch (message.type) {
    case MessageType.BroadcastData:
    case MessageType.UserData:
    case MessageType.JoinGroup:
    case MessageType.LeaveGroup:
      return true;
    case MessageType.GroupBroadcastData:
      return message.excludedUserIds.length === 0;
    case MessageType.JoinGroupWithAck:
    case MessageType.LeaveGroupWithAck:
      return message.group !== undefined && isFew(hub.others.edges.length);
    case MessageType.UserJoinGroup:
    case MessageType.UserLeaveGroup:
      return message.group !== undefined && hasFew(message.userId, hub);
    case MessageType.UserJoinGroupWithAck:
    case MessageType.UserLeaveGroupWithAck: {
      const { group, userId } = message;
      return group !== undefined && hasFew(userId, hub) && isFew(hub.others.edges.length);
    }
    default:
      return false;
  }
}

function hasFew(userId: string, { model }: HubRuntime): boolean {
  return isFew(model.roster({ kind: 'user', name: userId }).size);
}

const ALL: Target = { kind: 'all' };

function sendCommand(message: MessageFromServer): Command | undefined {
  switch (message.type) {
    case MessageType.MultiConnectionData:
      return send(message, { kind: 'connections', ids: message.connectionIds });
    case MessageType.UserData:
      return send(message, { kind: 'users', ids: [message.userId] });
    case MessageType.MultiUserData:
      return send(message, { kind: 'users', ids: message.userIds });
    case MessageType.BroadcastData:
      return send(message, ALL, except(message.excludedConnectionIds));
    case MessageType.GroupBroadcastData:
      return send(
        message,
        { kind: 'groups', names: [message.group] },
        { connections: message.excludedConnectionIds, users: message.excludedUserIds },
      );
    case MessageType.MultiGroupBroadcastData:
      return send(message, { kind: 'groups', names: message.groups });
    default:
      return undefined;
  }
}

function send(
  { payloads }: { readonly payloads: Payloads },
  target: Target,
  excluded: Exclusions = NOBODY,
): Command {
  return { kind: 'send', target, excluded, payloads };
}

function groupCommand(message: MessageFromServer): Command | undefined {
  switch (message.type) {
    case MessageType.JoinGroup:
    case MessageType.JoinGroupWithAck:
      return { kind: 'join', connectionId: message.connectionId, group: message.group };
    case MessageType.LeaveGroup:
    case MessageType.LeaveGroupWithAck:
      return { kind: 'leave', connectionId: message.connectionId, group: message.group };
    case MessageType.UserJoinGroup:
    case MessageType.UserJoinGroupWithAck: {
      const { userId, group, ttl } = message;
      return { kind: 'joinUser', userId, group, ttlSeconds: ttl };
    }
    case MessageType.UserLeaveGroup:
    case MessageType.UserLeaveGroupWithAck:
      return { kind: 'leaveUser', userId: message.userId, group: message.group };
    default:
      return undefined;
  }
}

function checkOrClose(message: MessageFromServer): Command | undefined {
  const close = (target: Target, excluded: Exclusions = NOBODY): Command | undefined =>
    'reason' in message ? { kind: 'close', target, excluded, reason: message.reason } : undefined;
  switch (message.type) {
    case MessageType.CheckUserInGroupWithAck:
      return { kind: 'checkUserInGroup', userId: message.userId, group: message.group };
    case MessageType.CheckGroupExistenceWithAck:
      return { kind: 'checkGroup', group: message.group };
    case MessageType.CheckConnectionExistenceWithAck:
      return { kind: 'checkConnection', connectionId: message.connectionId };
    case MessageType.CheckUserExistenceWithAck:
      return { kind: 'checkUser', userId: message.userId };
    case MessageType.CloseConnectionWithAck:
      return close({ kind: 'connections', ids: [message.connectionId] });
    case MessageType.CloseConnectionsWithAck:
      return close(ALL, except(message.excludedConnectionIds));
    case MessageType.CloseUserConnectionsWithAck:
      return close({ kind: 'users', ids: [message.userId] }, except(message.excludedConnectionIds));
    case MessageType.CloseGroupConnectionsWithAck:
      return close(
        { kind: 'groups', names: [message.group] },
        except(message.excludedConnectionIds),
      );
    default:
      return undefined;
  }
}

function except(connections: readonly string[]): Exclusions {
  return connections.length === 0 ? NOBODY : { connections, users: [] };
}
