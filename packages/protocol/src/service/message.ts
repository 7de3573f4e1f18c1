/**
 * Every message of the service protocol, version 1, as data. Source: service protocol reference,
 * section 6 (layouts and directions) and section 18 (what later SDKs added).
 * Names and field names are the protocol's own; `type` is the id that travels as element 0.
 */

import type { Timestamp } from './timestamp.ts';

export const PROTOCOL_VERSION = 1;

export const MessageType = {
  HandshakeRequest: 1,
  HandshakeResponse: 2,
  Ping: 3,
  OpenConnection: 4,
  CloseConnection: 5,
  ConnectionData: 6,
  MultiConnectionData: 7,
  UserData: 8,
  MultiUserData: 9,
  BroadcastData: 10,
  JoinGroup: 11,
  LeaveGroup: 12,
  GroupBroadcastData: 13,
  MultiGroupBroadcastData: 14,
  ServiceError: 15,
  UserJoinGroup: 16,
  UserLeaveGroup: 17,
  JoinGroupWithAck: 18,
  LeaveGroupWithAck: 19,
  Ack: 20,
  CheckUserInGroupWithAck: 21,
  ServiceEvent: 22,
  CheckGroupExistenceWithAck: 23,
  CheckConnectionExistenceWithAck: 24,
  CheckUserExistenceWithAck: 25,
  UserJoinGroupWithAck: 26,
  UserLeaveGroupWithAck: 27,
  AccessKeyRequest: 28,
  AccessKeyResponse: 29,
  CloseConnectionWithAck: 30,
  CloseConnectionsWithAck: 31,
  CloseUserConnectionsWithAck: 32,
  CloseGroupConnectionsWithAck: 33,
  ClientInvocation: 34,
  ClientCompletion: 35,
  ErrorCompletion: 36,
  ServiceMapping: 37,
  ConnectionReconnect: 38,
  ConnectionFlowControl: 39,
  GroupMemberQuery: 40,
  RefreshAuth: 41,
  GetConnectionClaims: 42,
  UpdateConnectionClaims: 43,
  /** Trunkline's own, between its edges: no SDK writes or reads these. */
  FilteredCommands: 1000,
  ConnectionsQuery: 1001,
  CountQuery: 1002,
} as const;

/** The names of service messages by their ids, for logs and metrics. */
export const MESSAGE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(MessageType).map(([name, id]) => [id, name]),
);

/** Default carries clients; OnDemand too, on the service's asking; Weak never does (section 6). */
export const ConnectionType = { Default: 0, OnDemand: 1, Weak: 2 } as const;

/** What a server may expect for its clients: nothing, a move at shutdown, a move at any loss. */
export const MigrationLevel = { Off: 0, ShutdownOnly: 1, Any: 2 } as const;

/** Extension key 5 of ConnectionData: what kind of hub message the payload is (section 5.3). */
export const DataType = { Unknown: 0, Handshake: 1, Invocation: 2, Other: 3, Close: 4 } as const;

export const AckStatus = {
  Ok: 1,
  NotFound: 2,
  Timeout: 3,
  InternalServerError: 4,
  Forbidden: 5,
} as const;

export const FlowControlTarget = { Client: 1, Server: 2 } as const;
export const FlowControlOperation = { Pause: 1, PauseAck: 2, Resume: 3, Offline: 4 } as const;

/** What a ServiceEvent is about, and what happened to it (section 6). */
export const ServiceEventObject = {
  ServiceInstance: 0,
  Connection: 1,
  User: 2,
  Group: 3,
  ServerConnection: 4,
} as const;
export const ServiceEventKind = { Reloading: 0, Invalid: 1, NotExisted: 2, BufferFull: 3 } as const;

/** A complete, already framed hub message for each hub protocol, by the protocol's name, which compares ignoring case. */
export interface Payloads extends Iterable<readonly [protocol: string, payload: Uint8Array]> {
  readonly size: number;
  /** By exactly this name. */
  get(protocol: string): Uint8Array | undefined;
}

/** Claims in order; one type may repeat, which is why this is no map (section 5.2). */
export type Claims = readonly (readonly [type: string, value: string])[];

/** Header name to values. Names must differ by more than case (section 19, trap 17). */
export type Headers = ReadonlyMap<string, readonly string[]>;

interface Traced {
  /** 64-bit tracing id, eight bytes, big-endian: beyond what a number holds (section 5.3). */
  readonly tracingId?: Uint8Array;
}

interface Acked {
  readonly ackId: number;
}

export interface HandshakeRequest {
  readonly type: typeof MessageType.HandshakeRequest;
  readonly version: number;
  readonly connectionType: number;
  readonly target: string;
  readonly migrationLevel: number;
  /** Absent before the SDKs that can say it; then the message has six elements, not seven. */
  readonly allowStatefulReconnects?: boolean;
}

export interface HandshakeResponse {
  readonly type: typeof MessageType.HandshakeResponse;
  /** Empty means success. */
  readonly errorMessage: string;
  readonly connectionId: string | undefined;
}

export interface Ping {
  readonly type: typeof MessageType.Ping;
  /** Flat key, value, key, value …; empty is the bare keep-alive (section 7.4). */
  readonly entries: readonly string[];
}

export interface OpenConnection extends Traced {
  readonly type: typeof MessageType.OpenConnection;
  readonly connectionId: string;
  readonly claims: Claims;
  readonly headers: Headers;
  /** With its leading `?`, or empty. */
  readonly queryString: string;
  /** Hub protocol of the client (extension 3); later SDKs cannot serve a client without it. */
  readonly protocol?: string;
}

export interface CloseConnection extends Traced {
  readonly type: typeof MessageType.CloseConnection;
  readonly connectionId: string;
  readonly errorMessage: string;
  readonly headers: Headers;
}

export interface ConnectionData extends Traced {
  readonly type: typeof MessageType.ConnectionData;
  readonly connectionId: string;
  readonly payload: Uint8Array;
  readonly dataType?: number;
  readonly partial?: boolean;
}

interface Sent extends Traced {
  readonly payloads: Payloads;
  /** Subscriber filter (extension 4); no SDK sets it. */
  readonly filter?: string;
}

export interface MultiConnectionData extends Sent {
  readonly type: typeof MessageType.MultiConnectionData;
  readonly connectionIds: readonly string[];
}

export interface UserData extends Sent {
  readonly type: typeof MessageType.UserData;
  readonly userId: string;
}

export interface MultiUserData extends Sent {
  readonly type: typeof MessageType.MultiUserData;
  readonly userIds: readonly string[];
}

export interface BroadcastData extends Sent {
  readonly type: typeof MessageType.BroadcastData;
  readonly excludedConnectionIds: readonly string[];
}

export interface GroupBroadcastData extends Sent {
  readonly type: typeof MessageType.GroupBroadcastData;
  readonly group: string;
  readonly excludedConnectionIds: readonly string[];
  readonly excludedUserIds: readonly string[];
  readonly callerUserId: string | undefined;
}

export interface MultiGroupBroadcastData extends Sent {
  readonly type: typeof MessageType.MultiGroupBroadcastData;
  readonly groups: readonly string[];
}

export interface JoinGroup extends Traced {
  readonly type: typeof MessageType.JoinGroup;
  readonly connectionId: string;
  readonly group: string;
}

export interface LeaveGroup extends Traced {
  readonly type: typeof MessageType.LeaveGroup;
  readonly connectionId: string;
  readonly group: string;
}

export interface JoinGroupWithAck extends Traced, Acked {
  readonly type: typeof MessageType.JoinGroupWithAck;
  readonly connectionId: string;
  readonly group: string;
}

export interface LeaveGroupWithAck extends Traced, Acked {
  readonly type: typeof MessageType.LeaveGroupWithAck;
  readonly connectionId: string;
  /** Absent: leave every group. */
  readonly group: string | undefined;
}

export interface UserJoinGroup extends Traced {
  readonly type: typeof MessageType.UserJoinGroup;
  readonly userId: string;
  readonly group: string;
  /** Seconds for which later connections of the user join too (section 9). */
  readonly ttl?: number;
}

export interface UserLeaveGroup extends Traced {
  readonly type: typeof MessageType.UserLeaveGroup;
  readonly userId: string;
  /** Absent: leave every group. */
  readonly group: string | undefined;
}

export interface UserJoinGroupWithAck extends Traced, Acked {
  readonly type: typeof MessageType.UserJoinGroupWithAck;
  readonly userId: string;
  readonly group: string;
  readonly ttl?: number;
}

export interface UserLeaveGroupWithAck extends Traced, Acked {
  readonly type: typeof MessageType.UserLeaveGroupWithAck;
  readonly userId: string;
  readonly group: string | undefined;
}

export interface CheckUserInGroupWithAck extends Traced, Acked {
  readonly type: typeof MessageType.CheckUserInGroupWithAck;
  readonly userId: string;
  readonly group: string;
}

export interface CheckGroupExistenceWithAck extends Traced, Acked {
  readonly type: typeof MessageType.CheckGroupExistenceWithAck;
  readonly group: string;
}

export interface CheckConnectionExistenceWithAck extends Traced, Acked {
  readonly type: typeof MessageType.CheckConnectionExistenceWithAck;
  readonly connectionId: string;
}

export interface CheckUserExistenceWithAck extends Traced, Acked {
  readonly type: typeof MessageType.CheckUserExistenceWithAck;
  readonly userId: string;
}

export interface Ack extends Acked {
  readonly type: typeof MessageType.Ack;
  readonly status: number;
  readonly message: string;
  /** Answer of a GroupMemberQuery (section 18.5), or of a question about claims (18.6). */
  readonly payload?: Uint8Array;
}

export interface ServiceError {
  readonly type: typeof MessageType.ServiceError;
  readonly errorMessage: string;
}

export interface ServiceEvent {
  readonly type: typeof MessageType.ServiceEvent;
  readonly objectType: number;
  readonly id: string;
  readonly kind: number;
  readonly message: string;
}

export interface AccessKeyRequest {
  readonly type: typeof MessageType.AccessKeyRequest;
  readonly token: string;
  readonly kid: string | undefined;
}

export interface AccessKeyResponse {
  readonly type: typeof MessageType.AccessKeyResponse;
  readonly kid: string | undefined;
  readonly accessKey: string | undefined;
  readonly errorType: string | undefined;
  readonly errorMessage: string | undefined;
}

interface Closing extends Traced, Acked {
  readonly reason: string | undefined;
}

export interface CloseConnectionWithAck extends Closing {
  readonly type: typeof MessageType.CloseConnectionWithAck;
  readonly connectionId: string;
}

export interface CloseConnectionsWithAck extends Closing {
  readonly type: typeof MessageType.CloseConnectionsWithAck;
  readonly excludedConnectionIds: readonly string[];
}

export interface CloseUserConnectionsWithAck extends Closing {
  readonly type: typeof MessageType.CloseUserConnectionsWithAck;
  readonly userId: string;
  readonly excludedConnectionIds: readonly string[];
}

export interface CloseGroupConnectionsWithAck extends Closing {
  readonly type: typeof MessageType.CloseGroupConnectionsWithAck;
  readonly group: string;
  readonly excludedConnectionIds: readonly string[];
}

interface ClientCall extends Traced {
  readonly invocationId: string;
  readonly connectionId: string;
}

export interface ClientInvocation extends ClientCall {
  readonly type: typeof MessageType.ClientInvocation;
  readonly callerServerId: string;
  readonly payloads: Payloads;
}

export interface ClientCompletion extends ClientCall {
  readonly type: typeof MessageType.ClientCompletion;
  readonly callerServerId: string;
  readonly protocol: string;
  readonly payload: Uint8Array;
}

export interface ErrorCompletion extends ClientCall {
  readonly type: typeof MessageType.ErrorCompletion;
  readonly callerServerId: string;
  readonly error: string;
}

export interface ServiceMapping {
  readonly type: typeof MessageType.ServiceMapping;
  readonly invocationId: string;
  readonly connectionId: string;
  readonly instanceId: string;
}

export interface ConnectionReconnect {
  readonly type: typeof MessageType.ConnectionReconnect;
  readonly connectionId: string;
}

export interface ConnectionFlowControl {
  readonly type: typeof MessageType.ConnectionFlowControl;
  readonly connectionId: string;
  readonly connectionType: number;
  readonly operation: number;
}

export interface GroupMemberQuery extends Traced, Acked {
  readonly type: typeof MessageType.GroupMemberQuery;
  readonly group: string;
  /** How many are wanted in all; the service's choice when absent. */
  readonly top: number | undefined;
  readonly continuationToken: string | undefined;
  /** How many one answer may have; the service's choice when absent. */
  readonly maxPageSize: number | undefined;
}

/** New sign-in of a client on a live connection (section 18.6). */
export interface RefreshAuth extends Acked {
  readonly type: typeof MessageType.RefreshAuth;
  /** That of the client's negotiate, version 1. */
  readonly connectionToken: string;
  /** Those of the connection from now on; none: those that it has. */
  readonly claims: Claims;
  /** When the sign-in ends; `NEVER`: when it ended before. */
  readonly expireTime: Timestamp;
}

/** Asks for the claims of the connection's service token. */
export interface GetConnectionClaims extends Acked {
  readonly type: typeof MessageType.GetConnectionClaims;
  readonly connectionToken: string;
}

/** Tells the app server of a client that its claims are others now. */
export interface UpdateConnectionClaims {
  readonly type: typeof MessageType.UpdateConnectionClaims;
  readonly connectionId: string;
  readonly claims: Claims;
}

/** Commands for all connections that a filter chooses, one after the other (REST reference, 1.5). */
export interface FilteredCommands {
  readonly type: typeof MessageType.FilteredCommands;
  /** Empty: all connections. */
  readonly filter: string;
  /** An array, each element of it an array that begins with what to do. */
  readonly commands: Uint8Array;
}

/** Asks for a page of connections: those of a group or of a user, or all of the hub where neither is named. */
export interface ConnectionsQuery {
  readonly type: typeof MessageType.ConnectionsQuery;
  readonly group: string | undefined;
  readonly userId: string | undefined;
  readonly continuationToken: string | undefined;
  readonly maxPageSize: number;
}

/** Asks how many connections these are, and for a text that is another one after each change of them. */
export interface CountQuery {
  readonly type: typeof MessageType.CountQuery;
  readonly group: string | undefined;
  readonly userId: string | undefined;
}

/** What an app server may say, or a service in its place. */
export type MessageFromServer =
  | HandshakeRequest
  | Ping
  | CloseConnection
  | ConnectionData
  | MultiConnectionData
  | UserData
  | MultiUserData
  | BroadcastData
  | JoinGroup
  | LeaveGroup
  | GroupBroadcastData
  | MultiGroupBroadcastData
  | UserJoinGroup
  | UserLeaveGroup
  | JoinGroupWithAck
  | LeaveGroupWithAck
  | CheckUserInGroupWithAck
  | CheckGroupExistenceWithAck
  | CheckConnectionExistenceWithAck
  | CheckUserExistenceWithAck
  | UserJoinGroupWithAck
  | UserLeaveGroupWithAck
  | AccessKeyRequest
  | CloseConnectionWithAck
  | CloseConnectionsWithAck
  | CloseUserConnectionsWithAck
  | CloseGroupConnectionsWithAck
  | ClientInvocation
  | ClientCompletion
  | ConnectionFlowControl
  | GroupMemberQuery
  | RefreshAuth
  | GetConnectionClaims
  | FilteredCommands
  | ConnectionsQuery
  | CountQuery;

/** What the service may say. */
export type MessageFromService =
  | HandshakeResponse
  | Ping
  | OpenConnection
  | CloseConnection
  | ConnectionData
  | ServiceError
  | Ack
  | ServiceEvent
  | AccessKeyResponse
  | ClientInvocation
  | ClientCompletion
  | ErrorCompletion
  | ServiceMapping
  | ConnectionReconnect
  | ConnectionFlowControl
  | UpdateConnectionClaims;

export type ServiceMessage = MessageFromServer | MessageFromService;
