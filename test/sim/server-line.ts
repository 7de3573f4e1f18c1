import type { MessageFromServer, MessageFromService } from '@trunkline/protocol';
import {
  ConnectionType,
  decodeServiceMessage,
  encodeServiceMessage,
  frameBodyStart,
  HANDSHAKE_SUCCESS,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  PROTOCOL_VERSION,
  RecordBuffer,
} from '@trunkline/protocol';
import { mintServerToken } from '@trunkline/tokens';

import { JSON_HANDSHAKE } from '../edge/support/json-client.ts';
import type { SimApp } from './app.ts';
import type { Connection } from './connection.ts';
import { KEY } from './edge.ts';
import type { SimEdge } from './edge.ts';
import { messagesOf, record } from './frames.ts';
import type { Line } from './journal.ts';

const PING_MS = 5_000;

/** One server connection, and the hub behind it: it lets clients in, and answers their calls. */
export class ServerLine implements Line {
  readonly name: string;
  readonly edge: SimEdge;
  readonly #app: SimApp;
  readonly #connection: Connection;
  readonly #frames = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);
  /** Clients that have been let in. */
  readonly #welcomed = new Set<string>();
  /** Clients that it has. */
  readonly #clients = new Set<string>();
  /** Results that another app server wants. */
  readonly #routed = new Set<string>();
  #endPings = (): void => {};
  #number = 0;
  isReady = false;
  isOpen = true;

  constructor(name: string, app: SimApp, edge: SimEdge) {
    this.name = name;
    this.edge = edge;
    this.#app = app;
    const { hub, migrationLevel } = app.world;
    const now = Math.floor(edge.machine.time.unixSeconds());
    const { serverId } = app;
    const token = mintServerToken({ key: KEY, audienceBase: 'http://e/', hub, now, serverId });
    const request = {
      method: 'GET',
      path: '/server/',
      query: `hub=${hub}&cid=${name}`,
      headers: new Map([['authorization', `Bearer ${token}`]]),
      remoteAddress: '192.0.2.2',
    };
    const target = '';
    this.#connection = edge.server(app.machine, request, {
      opened: () => {
        this.say({
          type: MessageType.HandshakeRequest,
          version: PROTOCOL_VERSION,
          connectionType: ConnectionType.Default,
          target,
          migrationLevel,
        });
        this.#endPings = app.machine.time.every(PING_MS, () => this.#ping());
      },
      received: (bytes) => this.#read(bytes),
      closed: () => {
        this.#end();
        app.lineEnded(this);
      },
    });
  }

  /** Those that it has, by id; and of these, those that have been let in. */
  get clients(): ReadonlySet<string> {
    return this.#clients;
  }

  get welcomed(): ReadonlySet<string> {
    return this.#welcomed;
  }

  get serverId(): string {
    return this.#app.serverId;
  }

  nextNumber(): number {
    return this.#number++;
  }

  /** Something for one of its clients. */
  data(connectionId: string, payload: Uint8Array): void {
    this.say({ type: MessageType.ConnectionData, connectionId, payload });
  }

  say(message: MessageFromServer): void {
    if (this.isOpen) this.#connection.send(encodeServiceMessage(message));
  }

  /** It breaks, and the app server knows, or has ended. */
  leave(): void {
    this.#end();
    this.#connection.leave();
  }

  #end(): void {
    this.isOpen = false;
    this.isReady = false;
    this.#endPings();
  }

  #ping(): void {
    this.say({ type: MessageType.Ping, entries: [] });
  }

  #read(bytes: Uint8Array): void {
    this.#frames.push(bytes, (chunk, start, end) => {
      const body = Buffer.from(chunk.subarray(frameBodyStart(chunk, start), end));
      const message = decodeServiceMessage(body) as MessageFromService | undefined;
      if (message !== undefined) this.#take(message);
    });
  }

  #take(message: MessageFromService): void {
    const { journal } = this.#app.world;
    switch (message.type) {
      case MessageType.HandshakeResponse:
        this.isReady = this.isOpen && message.errorMessage === '';
        break;
      case MessageType.OpenConnection:
        if (this.#clients.has(message.connectionId)) {
          journal.violation('lines', `${this.name} is given ${message.connectionId} twice`);
        }
        this.#app.given(this, message.connectionId);
        this.#clients.add(message.connectionId);
        if (message.headers.has('Asrs-Migrate-From')) this.#welcomed.add(message.connectionId);
        break;
      case MessageType.CloseConnection:
        this.#clients.delete(message.connectionId);
        this.#welcomed.delete(message.connectionId);
        break;
      case MessageType.ConnectionData:
        if (!this.#clients.has(message.connectionId)) {
          journal.violation(
            'lines',
            `${this.name} hears ${message.connectionId}, which it has not`,
          );
        }
        this.#answer(message.connectionId, message.payload);
        break;
      case MessageType.ClientInvocation:
        this.#routed.add(message.invocationId);
        break;
      case MessageType.Ack:
        this.#app.acked(message.ackId, message.status);
        break;
      default:
    }
  }

  #answer(connectionId: string, payload: Uint8Array): void {
    const isKnown = this.#welcomed.has(connectionId);
    const text = Buffer.from(payload).toString();
    const rest = text.startsWith(JSON_HANDSHAKE) ? text.slice(JSON_HANDSHAKE.length) : text;
    if (!isKnown) this.data(connectionId, HANDSHAKE_SUCCESS);
    this.#welcomed.add(connectionId);
    for (const { type, invocationId } of messagesOf(rest)) {
      if (type === 1 && invocationId !== undefined) {
        this.data(connectionId, record({ type: 3, invocationId, result: 1 }));
      } else if (type === 3) this.#complete(connectionId, invocationId!);
    }
  }

  /** A client has answered what it was asked, by this app server or by another. */
  #complete(connectionId: string, invocationId: string): void {
    const isOwn = !this.#routed.delete(invocationId);
    this.say({
      type: MessageType.ClientCompletion,
      invocationId,
      connectionId,
      callerServerId: this.serverId,
      protocol: 'json',
      payload: isOwn ? new Uint8Array(0) : record({ type: 3, invocationId, result: 1 }),
    });
  }
}
