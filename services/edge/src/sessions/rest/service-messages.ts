import type { MessageFromServer } from '@trunkline/protocol';
import { MessageType as M } from '@trunkline/protocol';
import type { OperationId } from './operations.ts';
import { excluded, flagOf, nameOf, namesOf, numberOf, textOf } from './parameters.ts';
import type { RestCall } from './rest-call.ts';
import { completionPayloads, itemPayloads, messagePayloads } from './message-body.ts';

/** Acks are answers here, not messages. */
const ackId = 0;

type Make = (call: RestCall, body: Buffer) => MessageFromServer | readonly MessageFromServer[];

const name = ({ names }: RestCall, which: string): string => nameOf(names, which);
const connectionId = (call: RestCall): string => name(call, 'connectionId');
const group = (call: RestCall): string => name(call, 'group');
const user = (call: RestCall): string => name(call, 'user');
const payloads = ({ request }: RestCall, body: Buffer) =>
  messagePayloads(request.headers.get('content-type'), body);
const closing = ({ request }: RestCall) => ({
  reason: textOf(request, 'reason'),
  excludedConnectionIds: excluded(request),
  ackId,
});

/** The service messages by which an app server would have said what a call says. */
export const SERVICE_MESSAGES = {
  sendToAll: (call, body) => ({
    type: M.BroadcastData,
    excludedConnectionIds: excluded(call.request),
    payloads: payloads(call, body),
  }),
  sendToConnection: (call, body) => ({
    type: M.MultiConnectionData,
    connectionIds: [connectionId(call)],
    payloads: payloads(call, body),
  }),
  sendToUser: (call, body) => ({
    type: M.UserData,
    userId: user(call),
    payloads: payloads(call, body),
  }),
  sendToUsers: (call, body) => ({
    type: M.MultiUserData,
    userIds: namesOf(call.names, 'users'),
    payloads: payloads(call, body),
  }),
  sendToGroup: (call, body) => ({
    type: M.GroupBroadcastData,
    group: group(call),
    excludedConnectionIds: excluded(call.request),
    payloads: payloads(call, body),
    excludedUserIds: [],
    callerUserId: undefined,
  }),
  sendToGroups: (call, body) => ({
    type: M.MultiGroupBroadcastData,
    groups: namesOf(call.names, 'groups'),
    payloads: payloads(call, body),
  }),
  connectionExists: (call) => ({
    type: M.CheckConnectionExistenceWithAck,
    connectionId: connectionId(call),
    ackId,
  }),
  groupExists: (call) => ({ type: M.CheckGroupExistenceWithAck, group: group(call), ackId }),
  userExists: (call) => ({ type: M.CheckUserExistenceWithAck, userId: user(call), ackId }),
  userIsInGroup: (call) => ({
    type: M.CheckUserInGroupWithAck,
    userId: user(call),
    group: group(call),
    ackId,
  }),
  addConnectionToGroup: (call) => ({
    type: M.JoinGroupWithAck,
    connectionId: connectionId(call),
    group: group(call),
    ackId,
  }),
  removeConnectionFromGroup: (call) => ({
    type: M.LeaveGroupWithAck,
    connectionId: connectionId(call),
    group: group(call),
    ackId,
  }),
  removeConnectionFromAllGroups: (call) => ({
    type: M.LeaveGroupWithAck,
    connectionId: connectionId(call),
    group: undefined,
    ackId,
  }),
  addUserToGroup: (call) => {
    const ttl = numberOf(call.request, 'ttl', 0);
    const message = { type: M.UserJoinGroupWithAck, userId: user(call), group: group(call), ackId };
    return ttl === undefined ? message : { ...message, ttl };
  },
  removeUserFromGroup: (call) => ({
    type: M.UserLeaveGroupWithAck,
    userId: user(call),
    group: group(call),
    ackId,
  }),
  removeUserFromAllGroups: (call) => ({
    type: M.UserLeaveGroupWithAck,
    userId: user(call),
    group: undefined,
    ackId,
  }),
  closeConnection: (call) => ({
    type: M.CloseConnectionWithAck,
    connectionId: connectionId(call),
    reason: textOf(call.request, 'reason'),
    ackId,
  }),
  closeConnections: (call) => ({ type: M.CloseConnectionsWithAck, ...closing(call) }),
  closeGroupConnections: (call) => ({
    type: M.CloseGroupConnectionsWithAck,
    group: group(call),
    ...closing(call),
  }),
  closeUserConnections: (call) => ({
    type: M.CloseUserConnectionsWithAck,
    userId: user(call),
    ...closing(call),
  }),
  sendStreamItem: (call, body) => {
    const connectionIds = [connectionId(call)];
    const streamId = name(call, 'streamId');
    const isLast = flagOf(call.request, 'completed');
    const contentType = call.request.headers.get('content-type');
    const type = M.MultiConnectionData;
    const item = { type, connectionIds, payloads: itemPayloads(contentType, body, streamId) };
    if (!isLast) return item;
    return [item, { type, connectionIds, payloads: completionPayloads(streamId, undefined) }];
  },
  completeStream: (call) => {
    // The .NET SDK says `error` where the specification has `reason`.
    const error = textOf(call.request, 'error') ?? textOf(call.request, 'reason');
    return {
      type: M.MultiConnectionData,
      connectionIds: [connectionId(call)],
      payloads: completionPayloads(name(call, 'streamId'), error || undefined),
    };
  },
} as const satisfies Partial<Record<OperationId, Make>>;

export type ServiceOperationId = keyof typeof SERVICE_MESSAGES;
