import { MessageType as M } from './message.ts';

/**
 * Where each field of each message stands: service protocol reference, section 6.
 * `text` reads nil as empty; `optional` kinds read nil as absent and write absent as nil.
 */
type FieldKind =
  | 'string'
  | 'text'
  | 'optional text'
  | 'int'
  | 'optional int'
  | 'int32'
  | 'boolean'
  | 'binary'
  | 'strings'
  | 'payloads'
  | 'claims'
  /** As `claims`; nil reads as none (section 18.6). */
  | 'claims or nil'
  | 'timestamp'
  | 'headers'
  | 'extensions';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** Length of the message's array (type included) from which on the element is there. */
  readonly from: number;
  /** What a shorter array means: an error, the kind's empty value, or no such property at all. */
  readonly presence: 'required' | 'defaulted' | 'trailing';
}

/** Extension keys a message understands: key to the property that holds the value (section 5.3). */
export interface Extension {
  readonly key: number;
  readonly name: string;
  readonly kind: 'uint64' | 'int' | 'string' | 'boolean';
}

export interface Layout {
  readonly fields: readonly Field[];
  readonly extensions: readonly Extension[];
}

const TRACING: Extension = { key: 1, name: 'tracingId', kind: 'uint64' };
const TTL: Extension = { key: 2, name: 'ttl', kind: 'int' };
const PROTOCOL: Extension = { key: 3, name: 'protocol', kind: 'string' };
const FILTER: Extension = { key: 4, name: 'filter', kind: 'string' };
const DATA_TYPE: Extension = { key: 5, name: 'dataType', kind: 'int' };
const PARTIAL: Extension = { key: 6, name: 'partial', kind: 'boolean' };

/**
 * A layout in short: `name:kind`, `name:kind?n` for one that is read from array length n on,
 * `name:kind+n` for one that is also only written when there; `ext` stands for the extension map.
 */
function layout(text: string, ...extensions: Extension[]): Layout {
  const fields = text.split(', ').map((part, index): Field => {
    const [, name, kind = 'extensions', mark, from] = /^(\w+)(?::([\w ]+))?(?:([?+])(\d))?$/.exec(
      part,
    )!;
    return {
      name: name!,
      kind: kind as FieldKind,
      from: from === undefined ? index + 2 : Number(from),
      presence: mark === undefined ? 'required' : mark === '?' ? 'defaulted' : 'trailing',
    };
  });
  return { fields, extensions };
}

const ID = 'connectionId:string';
const TOKEN = 'connectionToken:string';
const ACK = 'ackId:int';
const SCOPE = 'group:optional text, userId:optional text';
const CALL = `invocationId:string, ${ID}`;

export const LAYOUTS: ReadonlyMap<number, Layout> = new Map([
  [
    M.HandshakeRequest,
    layout(
      'version:int, connectionType:int?4, target:text?4, migrationLevel:int?5, ext?6, allowStatefulReconnects:boolean+7',
    ),
  ],
  [M.HandshakeResponse, layout('errorMessage:text, ext?3, connectionId:optional text?4')],
  [
    M.OpenConnection,
    layout(`${ID}, claims:claims, headers:headers?5, queryString:text?5, ext?6`, TRACING, PROTOCOL),
  ],
  [M.CloseConnection, layout(`${ID}, errorMessage:text, headers:headers?4, ext?5`, TRACING)],
  [M.ConnectionData, layout(`${ID}, payload:binary, ext?4`, TRACING, DATA_TYPE, PARTIAL)],
  [
    M.MultiConnectionData,
    layout('connectionIds:strings, payloads:payloads, ext?4', TRACING, FILTER),
  ],
  [M.UserData, layout('userId:string, payloads:payloads, ext?4', TRACING, FILTER)],
  [M.MultiUserData, layout('userIds:strings, payloads:payloads, ext?4', TRACING, FILTER)],
  [
    M.BroadcastData,
    layout('excludedConnectionIds:strings, payloads:payloads, ext?4', TRACING, FILTER),
  ],
  [M.JoinGroup, layout(`${ID}, group:string, ext?4`, TRACING)],
  [M.LeaveGroup, layout(`${ID}, group:string, ext?4`, TRACING)],
  [
    M.GroupBroadcastData,
    layout(
      'group:string, excludedConnectionIds:strings, payloads:payloads, ext?5, excludedUserIds:strings?7, callerUserId:optional text?7',
      TRACING,
      FILTER,
    ),
  ],
  [M.MultiGroupBroadcastData, layout('groups:strings, payloads:payloads, ext?4', TRACING, FILTER)],
  [M.ServiceError, layout('errorMessage:text')],
  [M.UserJoinGroup, layout('userId:string, group:string, ext?4', TRACING, TTL)],
  [M.UserLeaveGroup, layout('userId:string, group:optional text, ext?4', TRACING)],
  [M.JoinGroupWithAck, layout(`${ID}, group:string, ${ACK}, ext?5`, TRACING)],
  [M.LeaveGroupWithAck, layout(`${ID}, group:optional text, ${ACK}, ext?5`, TRACING)],
  [M.Ack, layout(`${ACK}, status:int, message:text, ext?5, payload:binary+6`)],
  [M.CheckUserInGroupWithAck, layout(`userId:string, group:string, ${ACK}, ext?5`, TRACING)],
  [M.ServiceEvent, layout('objectType:int, id:text, kind:int, message:text, ext')],
  [M.CheckGroupExistenceWithAck, layout(`group:string, ${ACK}, ext`, TRACING)],
  [M.CheckConnectionExistenceWithAck, layout(`${ID}, ${ACK}, ext`, TRACING)],
  [M.CheckUserExistenceWithAck, layout(`userId:string, ${ACK}, ext`, TRACING)],
  [M.UserJoinGroupWithAck, layout(`userId:string, group:string, ${ACK}, ext`, TRACING, TTL)],
  [M.UserLeaveGroupWithAck, layout(`userId:string, group:optional text, ${ACK}, ext`, TRACING)],
  [M.AccessKeyRequest, layout('token:string, kid:optional text, ext')],
  [
    M.AccessKeyResponse,
    layout(
      'kid:optional text, accessKey:optional text, errorType:optional text, errorMessage:optional text, ext',
    ),
  ],
  [M.CloseConnectionWithAck, layout(`${ID}, reason:optional text, ${ACK}, ext?5`, TRACING)],
  [
    M.CloseConnectionsWithAck,
    layout(`reason:optional text, ${ACK}, excludedConnectionIds:strings, ext?5`, TRACING),
  ],
  [
    M.CloseUserConnectionsWithAck,
    layout(
      `userId:string, reason:optional text, ${ACK}, excludedConnectionIds:strings, ext?6`,
      TRACING,
    ),
  ],
  [
    M.CloseGroupConnectionsWithAck,
    layout(
      `group:string, reason:optional text, ${ACK}, excludedConnectionIds:strings, ext?6`,
      TRACING,
    ),
  ],
  [M.ClientInvocation, layout(`${CALL}, callerServerId:string, payloads:payloads, ext`, TRACING)],
  [
    M.ClientCompletion,
    layout(
      `${CALL}, callerServerId:string, protocol:string, payload:binary, ext`,
      TRACING,
      PROTOCOL,
    ),
  ],
  [M.ErrorCompletion, layout(`${CALL}, callerServerId:string, error:text, ext`, TRACING)],
  [M.ServiceMapping, layout(`${CALL}, instanceId:string, ext`)],
  [M.ConnectionReconnect, layout(`${ID}, ext`)],
  [M.ConnectionFlowControl, layout(`${ID}, connectionType:int32, operation:int32, ext?5`)],
  [
    M.GroupMemberQuery,
    layout(
      `ext, group:string, ${ACK}, top:optional int?5, continuationToken:optional text?6, maxPageSize:optional int?7`,
      TRACING,
    ),
  ],
  [M.RefreshAuth, layout(`${TOKEN}, claims:claims or nil, expireTime:timestamp, ${ACK}, ext`)],
  [M.GetConnectionClaims, layout(`${TOKEN}, ${ACK}, ext`)],
  [M.UpdateConnectionClaims, layout(`${ID}, claims:claims or nil, ext`)],
  [M.FilteredCommands, layout('filter:text, commands:binary')],
  [M.ConnectionsQuery, layout(`${SCOPE}, continuationToken:optional text, maxPageSize:int`)],
  [M.CountQuery, layout(SCOPE)],
]);
