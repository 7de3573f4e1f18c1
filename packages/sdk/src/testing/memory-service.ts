import type {
  Ack,
  ClientInvocation,
  GroupMemberQuery,
  OpenConnection,
  Payloads,
  RefreshAuth,
  ServiceMessage,
} from '@trunkline/protocol';
import {
  AckStatus,
  decodeServiceMessage,
  encodeGroupPage,
  encodeServiceMessage,
  frameBodyStart,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  RecordBuffer,
} from '@trunkline/protocol';
import { claimSet, forwardedClaims, payloadOf, readClientClaims } from '@trunkline/tokens';

import type { Destination } from '../sending/destination.ts';
import { MemoryDirectory } from './memory-directory.ts';
import type { Member } from './memory-hub.ts';
import { MemoryHub } from './memory-hub.ts';
import { MemorySocket } from './memory-socket.ts';

/** The answer to what no case below has. */
const UNKNOWN = {
  status: AckStatus.InternalServerError,
  message: 'Tests have no service for this.',
};

/** What the app server is told of a client's connect request. */
type Request = Pick<OpenConnection, 'headers' | 'queryString'>;

/** What a hub sends to many is told here, with whom it is for. */
export type SendListener = (destination: Destination, payloads: Payloads) => void;

/** A service in this process: who is connected, in which group, and who gets what. */
export class MemoryService {
  readonly #hub = new MemoryHub();
  readonly #onSend: SendListener;
  /** What the access token of each client says. */
  readonly #tokens = new WeakMap<Member, string>();
  #socket: MemorySocket | undefined;

  constructor(onSend: SendListener) {
    this.#onSend = onSend;
  }

  dial(): MemorySocket {
    const records = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);
    const socket = new MemorySocket((bytes) => {
      records.push(bytes, (record, start, end) => {
        // A copy, for parts of a message may outlive the buffer that it came in.
        const frame = record.slice(start, end);
        const message = decodeServiceMessage(frame, frameBodyStart(frame, 0), frame.length);
        if (message !== undefined) this.#take(message);
      });
    });
    this.#socket = socket;
    return socket;
  }

  directory(name: string): MemoryDirectory {
    return new MemoryDirectory(name, this.#hub);
  }

  /** `token` is the payload of the client's access token. */
  open(member: Member, token: string, request: Request): void {
    this.#hub.add(member);
    this.#tokens.set(member, payloadOf(claimSet(token)));
    const [type, connectionId] = [MessageType.OpenConnection, member.id];
    const claims = forwardedClaims(token);
    this.#say({ type, connectionId, claims, protocol: 'json', ...request });
  }

  /** What a client sends. */
  data(connectionId: string, payload: Uint8Array): void {
    if (this.#hub.get(connectionId) === undefined) return;
    this.#say({ type: MessageType.ConnectionData, connectionId, payload });
  }

  /** A client goes by itself. */
  close(member: Member): void {
    if (!this.#hub.remove(member)) return;
    const { id: connectionId } = member;
    const headers = new Map();
    this.#say({ type: MessageType.CloseConnection, connectionId, errorMessage: '', headers });
  }

  #say(message: ServiceMessage): void {
    this.#socket?.deliver(Buffer.from(encodeServiceMessage(message)));
  }

  #take(message: ServiceMessage): void {
    switch (message.type) {
      case MessageType.HandshakeRequest:
        this.#say({ type: MessageType.HandshakeResponse, errorMessage: '', connectionId: '1' });
        break;
      case MessageType.Ping:
        if (message.entries[0] !== 'shutdown') break;
        this.#say({ type: MessageType.Ping, entries: ['shutdown', 'finack'] });
        break;
      case MessageType.ConnectionData:
        this.#hub.get(message.connectionId)?.take(message.payload);
        break;
      case MessageType.CloseConnection: {
        const member = this.#hub.get(message.connectionId);
        if (member !== undefined && this.#hub.remove(member)) {
          member.close(message.errorMessage || undefined);
        }
        break;
      }
      case MessageType.ClientInvocation:
        this.#ask(message);
        break;
      case MessageType.MultiConnectionData:
      case MessageType.BroadcastData:
      case MessageType.GroupBroadcastData:
      case MessageType.MultiGroupBroadcastData:
      case MessageType.UserData:
      case MessageType.MultiUserData:
        this.#onSend(message, message.payloads);
        for (const member of this.#hub.reached(message)) this.#give(member, message.payloads);
        break;
      default:
        if ('ackId' in message) this.#answer(message);
    }
  }

  #give(member: Member, payloads: Payloads): void {
    const payload = payloads.get('json');
    if (payload !== undefined) member.take(payload);
  }

  #ask({ payloads, ...call }: ClientInvocation): void {
    const member = this.#hub.get(call.connectionId);
    if (member !== undefined) {
      this.#give(member, payloads);
      return;
    }
    const error = `Connection '${call.connectionId}' does not exist.`;
    this.#say({ ...call, type: MessageType.ErrorCompletion, error });
  }

  #answer(message: ServiceMessage & { readonly ackId: number }): void {
    const answer = { ...UNKNOWN, ...this.#answerTo(message) };
    this.#say({ type: MessageType.Ack, ackId: message.ackId, ...answer });
  }

  #answerTo(message: ServiceMessage): Partial<Ack> | undefined {
    const hub = this.#hub;
    switch (message.type) {
      case MessageType.JoinGroupWithAck:
        return this.#of(message.connectionId, (member) => hub.join(member, message.group));
      case MessageType.LeaveGroupWithAck:
        return this.#of(message.connectionId, (member) => hub.leave(member, message.group));
      case MessageType.UserJoinGroupWithAck:
        hub.joinUser(message.userId, message.group, message.ttl);
        return found(true);
      case MessageType.UserLeaveGroupWithAck:
        hub.leaveUser(message.userId, message.group);
        return found(true);
      case MessageType.CheckConnectionExistenceWithAck:
        return found(hub.get(message.connectionId) !== undefined);
      case MessageType.CheckGroupExistenceWithAck:
        return found(hub.inGroup(message.group).size > 0);
      case MessageType.CheckUserExistenceWithAck:
        return found(hub.ofUsers([message.userId]).length > 0);
      case MessageType.CheckUserInGroupWithAck: {
        const members = [...hub.inGroup(message.group)];
        return found(members.some(({ userId }) => userId === message.userId));
      }
      case MessageType.CloseConnectionWithAck:
      case MessageType.CloseConnectionsWithAck:
      case MessageType.CloseUserConnectionsWithAck:
      case MessageType.CloseGroupConnectionsWithAck: {
        const members = hub.reached(message);
        for (const member of members) this.#close(member, message.reason);
        return found(message.type !== MessageType.CloseConnectionWithAck || members.length > 0);
      }
      case MessageType.GroupMemberQuery:
        return this.#listed(message);
      case MessageType.RefreshAuth:
        return this.#refreshed(message);
      default:
        return undefined;
    }
  }

  #of(connectionId: string, change: (member: Member) => void): Partial<Ack> {
    const member = this.#hub.get(connectionId);
    if (member !== undefined) change(member);
    return found(member !== undefined);
  }

  /** By the order in which they joined; a continuation token is how many came before. */
  #listed({ group, top, maxPageSize, continuationToken = '0' }: GroupMemberQuery): Partial<Ack> {
    const from = Number(continuationToken);
    const most = Math.min(top ?? Infinity, maxPageSize ?? Infinity);
    const all = [...this.#hub.inGroup(group)];
    const page = all.slice(from, from + most);
    const next = from + page.length;
    const token = next < all.length ? String(next) : undefined;
    const payload = encodeGroupPage(page, page.length, token);
    return { ...found(true), payload };
  }

  /** A client's connection token is its id here; its user cannot change. */
  #refreshed({ connectionToken: connectionId, claims }: RefreshAuth): Partial<Ack> {
    const member = this.#hub.get(connectionId);
    if (member === undefined) return found(false);
    const token = payloadOf(claims);
    if (readClientClaims(token).userId !== member.userId) return { status: AckStatus.Forbidden };
    if (token !== this.#tokens.get(member)) {
      this.#tokens.set(member, token);
      const type = MessageType.UpdateConnectionClaims;
      this.#say({ type, connectionId, claims: forwardedClaims(token) });
    }
    return found(true);
  }

  /** The app server hears of it, as of a client that goes by itself. */
  #close(member: Member, error: string | undefined): void {
    this.close(member);
    member.close(error);
  }
}

function found(there: boolean): Partial<Ack> {
  return { status: there ? AckStatus.Ok : AckStatus.NotFound, message: '' };
}
