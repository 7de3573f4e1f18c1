import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ConnectionData, MessageFromServer, MessageFromService } from '@trunkline/protocol';
import {
  decodeServiceMessage,
  encodeHandshakeRequest,
  encodeServiceMessage,
  frameBodyStart,
  MessageType,
  RecordBuffer,
} from '@trunkline/protocol';
import { formatConnectionString } from '@trunkline/tokens';
import { type WebSocket, WebSocketServer } from 'ws';

import { Mailbox } from '../fakes/mailbox.ts';

export const ACCESS_KEY = 'a key for tests, long enough to sign with';

/** What the fake answers by itself. */
export interface Answers {
  handshake: boolean;
  acks: boolean;
  finacks: boolean;
}

/** A frame of the app server, as bytes and decoded. */
export interface ReceivedFrame {
  readonly hex: string;
  readonly message: MessageFromServer;
}

/** The service's end of one server connection. */
export class ServiceSide {
  readonly request: IncomingMessage;
  readonly received = new Mailbox<ReceivedFrame>();
  readonly pongs = new Mailbox<true>();
  /** The close code, once it has ended. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, request: IncomingMessage, answers: Answers) {
    this.#socket = socket;
    this.request = request;
    const frames = new RecordBuffer(true, 2 ** 30);
    socket.on('message', (data: Buffer) =>
      frames.push(data, (bytes, start, end) => {
        const message = decodeServiceMessage(bytes, frameBodyStart(bytes, start), end);
        const hex = Buffer.from(bytes.subarray(start, end)).toString('hex');
        this.#take({ hex, message: message as MessageFromServer }, answers);
      }),
    );
    socket.on('pong', () => this.pongs.add(true));
    this.closed = once(socket, 'close').then(([code]) => code as number);
    void this.closed.then((code) => this.received.end(`closed with ${code}`));
  }

  get cid(): string {
    return new URL(this.request.url!, 'http://service').searchParams.get('cid')!;
  }

  get messages(): MessageFromServer[] {
    return this.received.all.map(({ message }) => message);
  }

  write(...messages: MessageFromService[]): void {
    this.writeRaw(Buffer.concat(messages.map((message) => encodeServiceMessage(message))));
  }

  writeRaw(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  ping(...entries: string[]): void {
    this.write({ type: MessageType.Ping, entries });
  }

  /** Ends without a word. */
  async cut(): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }

  /** The first frame of a type that `matches`, come or to come. */
  async frame<T extends MessageFromServer['type']>(
    type: T,
    matches: (message: Extract<MessageFromServer, { type: T }>) => boolean = () => true,
  ): Promise<{ hex: string; message: Extract<MessageFromServer, { type: T }> }> {
    type Wanted = Extract<MessageFromServer, { type: T }>;
    const frame = await this.received.first(
      ({ message }) => message?.type === type && matches(message as Wanted),
      `message ${type}`,
    );
    return frame as { hex: string; message: Wanted };
  }

  /** Payloads that came for a client, as texts. */
  data(connectionId: string): string[] {
    return this.dataMessages(connectionId).map(({ payload }) => Buffer.from(payload).toString());
  }

  dataMessages(connectionId: string): ConnectionData[] {
    return this.messages.filter(
      (message): message is ConnectionData =>
        message.type === MessageType.ConnectionData && message.connectionId === connectionId,
    );
  }

  /** The app server's 5 for a client. */
  closedClient(id: string): Promise<unknown> {
    return this.frame(MessageType.CloseConnection, ({ connectionId }) => connectionId === id);
  }

  #take(frame: ReceivedFrame, answers: Answers): void {
    const { message } = frame;
    this.received.add(frame);
    if (message.type === MessageType.HandshakeRequest && answers.handshake) {
      this.write({ type: MessageType.HandshakeResponse, errorMessage: '', connectionId: this.cid });
    } else if ('ackId' in message && answers.acks) {
      this.write({ type: MessageType.Ack, ackId: message.ackId, status: 1, message: '' });
    } else if (message.type === MessageType.Ping && answers.finacks) {
      if (message.entries[0] === 'shutdown') this.ping('shutdown', 'finack');
    }
  }
}

/** A service that speaks as the tests tell it, at `/server/`. */
export class FakeService implements AsyncDisposable {
  readonly answers: Answers = { handshake: true, acks: true, finacks: true };
  /** In the order in which they were opened; those that have ended too. */
  readonly sides = new Mailbox<ServiceSide>();
  /** When not 101, what every request is answered with; 0 hangs up. */
  status = 101;
  readonly #http: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  /** How often somebody has knocked. */
  attempts = 0;

  static async start(): Promise<FakeService> {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new FakeService(http);
  }

  private constructor(http: Server) {
    this.#http = http;
    http.on('upgrade', (request, socket, head) => {
      this.attempts++;
      if (this.status === 0) return void socket.destroy();
      if (this.status !== 101) {
        return void socket.end(`HTTP/1.1 ${this.status} No\r\ncontent-length: 0\r\n\r\n`);
      }
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.sides.add(new ServiceSide(webSocket, request, this.answers));
      });
    });
  }

  get connectionString(): string {
    const { port } = this.#http.address() as AddressInfo;
    return formatConnectionString(`http://127.0.0.1:${port}`, ACCESS_KEY);
  }

  /** The server connection that was opened as number `index`, come or to come. */
  async side(index = 0): Promise<ServiceSide> {
    await this.sides.first(() => this.sides.all.length > index, `server connection ${index}`);
    return this.sides.all[index]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const webSocket of this.#webSockets.clients) webSocket.terminate();
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, 'close');
  }
}

/** OpenConnection for a client, to be changed as a test likes. */
export function open(
  connectionId: string,
  changes: Partial<Extract<MessageFromService, { type: 4 }>> = {},
): Extract<MessageFromService, { type: 4 }> {
  return {
    type: MessageType.OpenConnection,
    connectionId,
    claims: [],
    headers: new Map([['Asrs-Instance-Id', ['i1']]]),
    queryString: '?hub=chat',
    protocol: 'json',
    ...changes,
  };
}

export function data(
  connectionId: string,
  payload: string | Uint8Array,
  more: { partial?: boolean } = {},
): ConnectionData {
  return {
    type: MessageType.ConnectionData,
    connectionId,
    payload: Buffer.from(payload),
    ...more,
  };
}

export function close(
  connectionId: string,
  errorMessage = '',
  headers: ReadonlyMap<string, readonly string[]> = new Map(),
): Extract<MessageFromService, { type: 5 }> {
  return { type: MessageType.CloseConnection, connectionId, errorMessage, headers };
}

export const JSON_HANDSHAKE = Buffer.from(encodeHandshakeRequest('json', 1));
export const MESSAGEPACK_HANDSHAKE = Buffer.from(encodeHandshakeRequest('messagepack', 1));

/** A hub call in JSON, framed. */
export function call(invocationId: string, target: string, ...args: unknown[]): string {
  return `${JSON.stringify({ type: 1, invocationId, target, arguments: args })}\x1e`;
}

/** How a hub call in JSON is answered, framed. */
export function result(invocationId: string, value: unknown): string {
  return `${JSON.stringify({ type: 3, invocationId, result: value })}\x1e`;
}
