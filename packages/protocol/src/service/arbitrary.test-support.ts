import * as fc from 'fast-check';
import { MessageType } from './message.ts';
import type { ServiceMessage } from './message.ts';
import { NEVER } from './timestamp.ts';

type MessageName = keyof typeof MessageType;
type MessageOf<N extends MessageName> = Extract<
  ServiceMessage,
  { readonly type: (typeof MessageType)[N] }
>;

type OptionalKey<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type Always<T> = { [K in Exclude<keyof T, OptionalKey<T> | 'type'>]: fc.Arbitrary<T[K]> };
type Sometimes<T> = { [K in OptionalKey<T>]-?: fc.Arbitrary<NonNullable<T[K]>> };

/** One arbitrary message: the compiler sees that no field is forgotten and none is of a wrong type. */
function message<N extends MessageName>(
  name: N,
  always: Always<MessageOf<N>>,
  ...[sometimes]: keyof Sometimes<MessageOf<N>> extends never ? [] : [Sometimes<MessageOf<N>>]
): fc.Arbitrary<ServiceMessage> {
  const fields = { type: fc.constant(MessageType[name]), ...always };
  const all: Record<string, fc.Arbitrary<unknown>> = { ...fields, ...sometimes };
  const requiredKeys = Object.keys(fields);
  return fc.record(all, {
    requiredKeys,
    noNullPrototype: true,
  }) as fc.Arbitrary<unknown> as fc.Arbitrary<ServiceMessage>;
}

/** Lengths around the places where MessagePack's headers change, and text of one to four bytes. */
const boundaryText = fc
  .tuple(fc.constantFrom(31, 32, 48, 49, 255, 256), fc.constantFrom('a', 'é', '語', '🙂'))
  .map(([length, character]) => character.repeat(length));

const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: boundaryText },
);
const optionalText = fc.option(text, { nil: undefined });
const texts = fc.array(text, { maxLength: 20 });
const boundary = (value: number): fc.Arbitrary<number> =>
  fc.integer({ min: value - 2, max: value });
const int32 = fc.oneof(
  fc.integer(),
  fc.nat(40),
  boundary(0x80),
  boundary(0x100),
  boundary(0x10000),
  boundary(-0x1f),
  boundary(-0x7f),
  boundary(-0x7fff),
);
const optionalInt = fc.option(int32, { nil: undefined });
const binary = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(255, 256, 65_535, 65_536).map((n) => Buffer.alloc(n, 7)),
  },
);
const payloads = fc.array(fc.tuple(text, binary), { maxLength: 4 }).map((pairs) => new Map(pairs));
const headers = fc.array(fc.tuple(text, texts), { maxLength: 4 }).map((pairs) => new Map(pairs));
const claims = fc.array(fc.tuple(fc.oneof(fc.constant('role'), text), text), { maxLength: 20 });
/** Around the places where its form on the wire changes. */
export const timestamp = fc.record(
  {
    seconds: fc.oneof(
      boundary(2 ** 32 + 1),
      boundary(2 ** 34 + 1),
      boundary(NEVER.seconds + 1),
      fc.maxSafeInteger(),
      fc.constant(0),
    ),
    nanoseconds: fc.oneof(fc.constant(0), fc.nat(999_999_999)),
  },
  { noNullPrototype: true },
);
const uint64 = fc
  .bigInt({ min: 0n, max: 2n ** 64n - 1n })
  .chain((value) => fc.nat(63).map((shift) => value >> BigInt(shift)))
  .map((value) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value);
    return bytes;
  });

const traced = { tracingId: uint64 };
const timed = { ...traced, ttl: int32 };
const sent = { ...traced, filter: text };
const connection = { connectionId: text };
const byToken = { connectionToken: text };
const inGroup = { ...connection, group: text };
const userInGroup = { userId: text, group: text };
const userInAnyGroup = { userId: text, group: optionalText };
const scope = { group: optionalText, userId: optionalText };
const acked = { ackId: int32 };
const closing = { ...acked, reason: optionalText };
const closingMany = { ...closing, excludedConnectionIds: texts };
const call = { ...connection, invocationId: text };
const callFrom = { ...call, callerServerId: text };

/** Every message of the protocol, by name. Extensions that a writer leaves out (5: 0) are left out. */
const MESSAGES = {
  HandshakeRequest: message(
    'HandshakeRequest',
    { version: int32, connectionType: int32, target: text, migrationLevel: int32 },
    { allowStatefulReconnects: fc.boolean() },
  ),
  HandshakeResponse: message('HandshakeResponse', {
    errorMessage: text,
    connectionId: optionalText,
  }),
  Ping: message('Ping', { entries: texts }),
  OpenConnection: message(
    'OpenConnection',
    { ...connection, claims, headers, queryString: text },
    { ...traced, protocol: text },
  ),
  CloseConnection: message(
    'CloseConnection',
    { ...connection, errorMessage: text, headers },
    traced,
  ),
  ConnectionData: message(
    'ConnectionData',
    { ...connection, payload: binary },
    { ...traced, dataType: int32.filter((type) => type !== 0), partial: fc.constant(true) },
  ),
  MultiConnectionData: message('MultiConnectionData', { connectionIds: texts, payloads }, sent),
  UserData: message('UserData', { userId: text, payloads }, sent),
  MultiUserData: message('MultiUserData', { userIds: texts, payloads }, sent),
  BroadcastData: message('BroadcastData', { excludedConnectionIds: texts, payloads }, sent),
  JoinGroup: message('JoinGroup', inGroup, traced),
  LeaveGroup: message('LeaveGroup', inGroup, traced),
  GroupBroadcastData: message(
    'GroupBroadcastData',
    {
      group: text,
      excludedConnectionIds: texts,
      payloads,
      excludedUserIds: texts,
      callerUserId: optionalText,
    },
    sent,
  ),
  MultiGroupBroadcastData: message('MultiGroupBroadcastData', { groups: texts, payloads }, sent),
  ServiceError: message('ServiceError', { errorMessage: text }),
  UserJoinGroup: message('UserJoinGroup', userInGroup, timed),
  UserLeaveGroup: message('UserLeaveGroup', userInAnyGroup, traced),
  JoinGroupWithAck: message('JoinGroupWithAck', { ...inGroup, ...acked }, traced),
  LeaveGroupWithAck: message(
    'LeaveGroupWithAck',
    { ...connection, ...acked, group: optionalText },
    traced,
  ),
  Ack: message('Ack', { ...acked, status: int32, message: text }, { payload: binary }),
  CheckUserInGroupWithAck: message('CheckUserInGroupWithAck', { ...userInGroup, ...acked }, traced),
  ServiceEvent: message('ServiceEvent', {
    objectType: int32,
    id: text,
    kind: int32,
    message: text,
  }),
  CheckGroupExistenceWithAck: message(
    'CheckGroupExistenceWithAck',
    { ...acked, group: text },
    traced,
  ),
  CheckConnectionExistenceWithAck: message(
    'CheckConnectionExistenceWithAck',
    { ...connection, ...acked },
    traced,
  ),
  CheckUserExistenceWithAck: message(
    'CheckUserExistenceWithAck',
    { ...acked, userId: text },
    traced,
  ),
  UserJoinGroupWithAck: message('UserJoinGroupWithAck', { ...userInGroup, ...acked }, timed),
  UserLeaveGroupWithAck: message('UserLeaveGroupWithAck', { ...userInAnyGroup, ...acked }, traced),
  AccessKeyRequest: message('AccessKeyRequest', { token: text, kid: optionalText }),
  AccessKeyResponse: message('AccessKeyResponse', {
    kid: optionalText,
    accessKey: optionalText,
    errorType: optionalText,
    errorMessage: optionalText,
  }),
  CloseConnectionWithAck: message('CloseConnectionWithAck', { ...closing, ...connection }, traced),
  CloseConnectionsWithAck: message('CloseConnectionsWithAck', closingMany, traced),
  CloseUserConnectionsWithAck: message(
    'CloseUserConnectionsWithAck',
    { ...closingMany, userId: text },
    traced,
  ),
  CloseGroupConnectionsWithAck: message(
    'CloseGroupConnectionsWithAck',
    { ...closingMany, group: text },
    traced,
  ),
  ClientInvocation: message('ClientInvocation', { ...callFrom, payloads }, traced),
  ClientCompletion: message(
    'ClientCompletion',
    { ...callFrom, protocol: text, payload: binary },
    traced,
  ),
  ErrorCompletion: message('ErrorCompletion', { ...callFrom, error: text }, traced),
  ServiceMapping: message('ServiceMapping', { ...call, instanceId: text }),
  ConnectionReconnect: message('ConnectionReconnect', connection),
  ConnectionFlowControl: message('ConnectionFlowControl', {
    ...connection,
    connectionType: int32,
    operation: int32,
  }),
  GroupMemberQuery: message(
    'GroupMemberQuery',
    {
      ...acked,
      group: text,
      top: optionalInt,
      continuationToken: optionalText,
      maxPageSize: optionalInt,
    },
    traced,
  ),
  RefreshAuth: message('RefreshAuth', { ...acked, ...byToken, claims, expireTime: timestamp }),
  GetConnectionClaims: message('GetConnectionClaims', { ...acked, ...byToken }),
  UpdateConnectionClaims: message('UpdateConnectionClaims', { ...connection, claims }),
  FilteredCommands: message('FilteredCommands', { filter: text, commands: binary }),
  ConnectionsQuery: message('ConnectionsQuery', {
    ...scope,
    continuationToken: optionalText,
    maxPageSize: int32,
  }),
  CountQuery: message('CountQuery', scope),
} satisfies Record<MessageName, fc.Arbitrary<ServiceMessage>>;

/** Any message that a writer of ours can write, as a reader gives it back. */
export const anyMessage: fc.Arbitrary<ServiceMessage> = fc.oneof(...Object.values(MESSAGES));
