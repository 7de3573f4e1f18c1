import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

import type {
  ConnectionData,
  MessageFromServer,
  MessageFromService,
  OpenConnection,
} from '@trunkline/protocol';
import {
  ConnectionType,
  decodeServiceMessage,
  encodeServiceMessage,
  frameBodyStart,
  HANDSHAKE_SUCCESS,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  MigrationLevel,
  PROTOCOL_VERSION,
  RecordBuffer,
} from '@trunkline/protocol';
import { DEVELOPMENT_ACCESS_KEY, mintServerToken } from '@trunkline/tokens';
import { WebSocket } from 'ws';

import { echo } from './echo.ts';
import { Mailbox } from './mailbox.ts';

export interface FakeAppServerOptions {
  /** The hub key; `chat` when not given. */
  hub?: string;
  /** The development key when not given. */
  key?: string;
  /** A new one when not given. */
  serverId?: string;
  /** One of ConnectionType; Default when not given. */
  connectionType?: number;
  /** What it answers by itself after the service handshake; `everything` when not given. */
  answers?: 'everything' | 'handshakes' | 'nothing';
  /** PEM certificates to trust instead of the system's. */
  ca?: Buffer;
}

/** How a WebSocket ended: code 1006 when it ended without a close frame. */
export interface SocketClose {
  code: number;
  reason: string;
}

/**
 * One server connection, without a hub server behind it. Does the service handshake, lets every
 * client in, returns the first argument of every invocation, answers pings, and records every
 * message. A test may write whatever it likes besides, or instead.
 */
export class FakeAppServer implements AsyncDisposable {
  readonly hub: string;
  readonly serverId: string;
  /** Every message of the service, decoded. */
  readonly received = new Mailbox<MessageFromService>();
  /** Resolves when the WebSocket has ended, whoever ended it. */
  readonly closed: Promise<SocketClose>;
  readonly #socket: WebSocket;
  readonly #answers: 'everything' | 'handshakes' | 'nothing';
  readonly #frames = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);
  /** Hub protocol of each client that is here. */
  readonly #clients = new Map<string, string>();
  /** Those of them whose handshake request has been answered. */
  readonly #open = new Set<string>();

  /**
   * Opens the WebSocket at the edge's `/server/` and says nothing. Rejects with the HTTP status when
   * the edge refuses it.
   */
  static async dial(edgeUrl: string, options: FakeAppServerOptions = {}): Promise<FakeAppServer> {
    const { hub = 'chat', key = DEVELOPMENT_ACCESS_KEY, serverId = randomUUID() } = options;
    const { answers = 'everything' } = options;
    const token = mintServerToken({ audienceBase: `${edgeUrl}/`, hub, serverId, key });
    const url = `${edgeUrl.replace(/^http/, 'ws')}/server/?hub=${hub}&cid=${randomUUID()}`;
    const socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}`, 'x-asrs-server-id': serverId },
      perMessageDeflate: false,
      maxPayload: MAX_SERVICE_MESSAGE_BYTES,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
    const server = new FakeAppServer(socket, { hub, serverId, answers });
    await once(socket, 'open');
    return server;
  }

  /** `dial`, then the service handshake. Rejects with the edge's words when it is refused. */
  static async connect(
    edgeUrl: string,
    options: FakeAppServerOptions = {},
  ): Promise<FakeAppServer> {
    const server = await FakeAppServer.dial(edgeUrl, options);
    server.write({
      type: MessageType.HandshakeRequest,
      version: PROTOCOL_VERSION,
      connectionType: options.connectionType ?? ConnectionType.Default,
      target: '',
      migrationLevel: MigrationLevel.Off,
    });
    const response = await server.received.first(
      (message) => message.type === MessageType.HandshakeResponse,
      'the handshake response',
    );
    if (response.errorMessage !== '') throw new Error(response.errorMessage);
    return server;
  }

  private constructor(
    socket: WebSocket,
    {
      hub,
      serverId,
      answers,
    }: Required<Pick<FakeAppServerOptions, 'hub' | 'serverId' | 'answers'>>,
  ) {
    this.#socket = socket;
    this.hub = hub;
    this.serverId = serverId;
    this.#answers = answers;
    socket.on('message', (data: Buffer) => {
      this.#frames.push(data, (bytes, start, end) => {
        const message = decodeServiceMessage(bytes, frameBodyStart(bytes, start), end);
        if (message !== undefined) this.#take(message as MessageFromService);
      });
    });
    socket.on('error', (error) => this.received.end(error.message));
    this.closed = new Promise((resolve) => {
      socket.once('close', (code: number, reason: Buffer) => {
        this.received.end(`the server connection was closed with ${code} ${reason.toString()}`);
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  write(message: MessageFromServer): void {
    this.writeRaw(encodeServiceMessage(message));
  }

  /** Sends one WebSocket message, which need not be anything that the protocol knows. */
  writeRaw(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Sends `payload` to a client, as it is. */
  data(connectionId: string, payload: Uint8Array): void {
    this.write({ type: MessageType.ConnectionData, connectionId, payload });
  }

  /** What the edge said of a client when it gave it to this server. */
  opened(connectionId: string): Promise<OpenConnection> {
    return this.received.first(
      (message) =>
        message.type === MessageType.OpenConnection && message.connectionId === connectionId,
      `the OpenConnection of ${connectionId}`,
    ) as Promise<OpenConnection>;
  }

  /** Reads no more; what comes stays in the network's buffers, then in the edge's. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection with WebSocket code 1000. */
  async close(): Promise<void> {
    this.#socket.resume();
    this.#socket.close(1000);
    await this.closed;
  }

  /** Ends the connection without a word. */
  async cut(): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(message: MessageFromService): void {
    this.received.add(message);
    if (this.#answers === 'nothing') return;
    switch (message.type) {
      case MessageType.OpenConnection:
        this.#clients.set(message.connectionId, message.protocol ?? 'json');
        break;
      case MessageType.CloseConnection:
        this.#clients.delete(message.connectionId);
        this.#open.delete(message.connectionId);
        break;
      case MessageType.ConnectionData:
        this.#answer(message);
        break;
      case MessageType.Ping:
        this.write(message);
        break;
      default:
    }
  }

  /** The first data of a client is its handshake request, which comes alone from this edge. */
  #answer({ connectionId, payload }: ConnectionData): void {
    if (!this.#open.has(connectionId)) {
      this.#open.add(connectionId);
      this.data(connectionId, HANDSHAKE_SUCCESS);
      return;
    }
    if (this.#answers !== 'everything') return;
    const answer = echo(this.#clients.get(connectionId)!, payload);
    if (answer !== undefined) this.data(connectionId, answer);
  }
}
