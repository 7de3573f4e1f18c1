import type {
  ClientInvocation,
  OpenConnection,
  Payloads,
  ServiceMessage,
} from '@trunkline/protocol';
import {
  AckStatus,
  decodeServiceMessage,
  encodeServiceMessage,
  frameBodyStart,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  RecordBuffer,
} from '@trunkline/protocol';

import type { Destination } from '../sending/destination.ts';
import { MemorySocket } from './memory-socket.ts';

/** A client, as the service knows it. */
export interface Member {
  readonly id: string;
  readonly userId: string | undefined;
  /** Takes bytes of the hub protocol that it speaks. */
  take(bytes: Uint8Array): void;
  /** The app server has closed it. */
  ended(): void;
}

/** What a hub sends to many is told here, with whom it is for. */
export type SendListener = (destination: Destination, payloads: Payloads) => void;

/** A service in this process: who is connected, in which group, and who gets what. */
export class MemoryService {
  readonly #members = new Map<string, Member>();
  readonly #groups = new Map<string, Set<string>>();
  readonly #onSend: SendListener;
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

  open(member: Member, open: Omit<OpenConnection, 'type' | 'connectionId'>): void {
    this.#members.set(member.id, member);
    this.#say({ type: MessageType.OpenConnection, connectionId: member.id, ...open });
  }

  /** What a client sends. */
  data(connectionId: string, payload: Uint8Array): void {
    if (!this.#members.has(connectionId)) return;
    this.#say({ type: MessageType.ConnectionData, connectionId, payload });
  }

  /** A client goes by itself. */
  close(connectionId: string): void {
    if (!this.#forget(connectionId)) return;
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
        this.#members.get(message.connectionId)?.take(message.payload);
        break;
      case MessageType.CloseConnection: {
        const member = this.#members.get(message.connectionId);
        if (this.#forget(message.connectionId)) member?.ended();
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
        for (const member of this.#reached(message)) this.#give(member, message.payloads);
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
    const member = this.#members.get(call.connectionId);
    if (member !== undefined) {
      this.#give(member, payloads);
      return;
    }
    const error = `Connection '${call.connectionId}' does not exist.`;
    this.#say({ ...call, type: MessageType.ErrorCompletion, error });
  }

  /** A connection in several of the groups gets one copy. */
  #reached(to: Destination): Member[] {
    switch (to.type) {
      case MessageType.MultiConnectionData:
        return this.#named(to.connectionIds);
      case MessageType.BroadcastData:
        return this.#named(this.#members.keys(), to.excludedConnectionIds);
      case MessageType.GroupBroadcastData:
        return this.#named(this.#groups.get(to.group) ?? [], to.excludedConnectionIds);
      case MessageType.MultiGroupBroadcastData:
        return this.#named(to.groups.flatMap((group) => [...(this.#groups.get(group) ?? [])]));
      case MessageType.UserData:
        return this.#users([to.userId]);
      case MessageType.MultiUserData:
        return this.#users(to.userIds);
    }
  }

  #named(ids: Iterable<string>, except: readonly string[] = []): Member[] {
    return [...new Set(ids)]
      .filter((id) => !except.includes(id))
      .flatMap((id) => this.#members.get(id) ?? []);
  }

  #users(userIds: readonly string[]): Member[] {
    return [...this.#members.values()].filter(
      ({ userId }) => userId !== undefined && userIds.includes(userId),
    );
  }

  #answer(message: ServiceMessage & { readonly ackId: number }): void {
    const { ackId } = message;
    const status = this.#statusOf(message);
    const text = status === AckStatus.InternalServerError ? 'Tests have no service for this.' : '';
    this.#say({ type: MessageType.Ack, ackId, status, message: text });
  }

  #statusOf(message: ServiceMessage): number {
    const found = (there: boolean) => (there ? AckStatus.Ok : AckStatus.NotFound);
    switch (message.type) {
      case MessageType.JoinGroupWithAck:
        return found(this.#join(message.connectionId, message.group));
      case MessageType.LeaveGroupWithAck:
        return found(this.#leave(message.connectionId, message.group));
      case MessageType.CheckConnectionExistenceWithAck:
        return found(this.#members.has(message.connectionId));
      case MessageType.CheckGroupExistenceWithAck:
        return found((this.#groups.get(message.group)?.size ?? 0) > 0);
      case MessageType.CheckUserExistenceWithAck:
        return found(this.#users([message.userId]).length > 0);
      default:
        return AckStatus.InternalServerError;
    }
  }

  #join(id: string, group: string): boolean {
    if (!this.#members.has(id)) return false;
    const ids = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, ids.add(id));
    return true;
  }

  /** Out of one group, or of all. */
  #leave(id: string, group?: string): boolean {
    for (const [name, ids] of this.#groups)
      if (group === undefined || name === group) ids.delete(id);
    return this.#members.has(id);
  }

  #forget(id: string): boolean {
    this.#leave(id);
    return this.#members.delete(id);
  }
}
