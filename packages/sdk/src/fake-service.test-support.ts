import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type {
  CloseConnection,
  ConnectionData,
  OpenConnection,
  ServiceMessage,
} from '@trunkline/protocol';
import {
  AckStatus,
  decodeServiceMessage,
  encodeHandshakeRequest,
  encodeServiceMessage,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  RecordBuffer,
} from '@trunkline/protocol';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';

import type { HubProtocol } from './protocols/index.ts';
import { findProtocol } from './protocols/index.ts';

export const TEST_KEY = 'a-test-key-of-some-forty-characters-0000';

const DEADLINE_MS = 30_000;

/** Resolves with the first value of `probe` that is neither undefined nor false. */
export async function until<T>(probe: () => T | undefined | false, what: string): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise(setImmediate);
  }
}

/** Plays the service by the protocol, in this process: server connections in, clients made up. */
export class FakeService {
  readonly connections: FakeServerConnection[] = [];
  readonly requests: IncomingMessage[] = [];
  /** Answers upgrades with this status instead of accepting them. */
  refuseWith: number | undefined;
  /** What the handshake is answered with; undefined leaves it unanswered. */
  handshakeError: string | undefined = '';
  /** Whether a server that wants to leave gets its acknowledgement. */
  acknowledgesFin = true;
  /** Whether a server that asks for a connection is told that it is there. */
  answersChecks = true;
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor() {
    this.#http = createServer();
    this.#http.on('upgrade', (request, socket, head) => {
      this.requests.push(request);
      socket.on('error', () => {});
      if (this.refuseWith !== undefined) {
        socket.end(`HTTP/1.1 ${this.refuseWith} Refused\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.connections.push(new FakeServerConnection(this, webSocket, request.url ?? ''));
      });
    });
  }

  /** On a free port, unless it comes back to the one it had. */
  static async start(port = 0): Promise<FakeService> {
    const service = new FakeService();
    await new Promise<void>((resolve) => service.#http.listen(port, '127.0.0.1', resolve));
    return service;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get connectionString(): string {
    return `Endpoint=http://127.0.0.1;Port=${this.port};AccessKey=${TEST_KEY};Version=1.0;`;
  }

  get live(): FakeServerConnection[] {
    return this.connections.filter(({ ready }) => ready);
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.terminate();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }
}

export class FakeServerConnection {
  readonly socket: WebSocket;
  readonly url: URL;
  readonly received: ServiceMessage[] = [];
  /** Sizes of the WebSocket messages that came. */
  readonly frames: number[] = [];
  ready = false;
  closeCode: number | undefined;
  readonly #service: FakeService;
  readonly #records = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);

  constructor(service: FakeService, socket: WebSocket, url: string) {
    this.#service = service;
    this.socket = socket;
    this.url = new URL(url, 'http://service');
    socket.on('message', (data) => this.#receive(data as Buffer));
    socket.on('close', (code) => {
      this.ready = false;
      this.closeCode = code;
    });
    socket.on('error', () => {});
  }

  send(...messages: ServiceMessage[]): void {
    this.socket.send(Buffer.concat(messages.map((message) => encodeServiceMessage(message))));
  }

  ofType<T extends ServiceMessage['type']>(type: T): Extract<ServiceMessage, { type: T }>[] {
    const all = this.received.filter((message) => message.type === type);
    return all as Extract<ServiceMessage, { type: T }>[];
  }

  /** The n-th message of a type, from 0, as soon as it has come. */
  async next<T extends ServiceMessage['type']>(
    type: T,
    n = 0,
  ): Promise<Extract<ServiceMessage, { type: T }>> {
    return until(() => this.ofType(type)[n], `message ${n} of type ${type}`);
  }

  confirm(ackId: number): void {
    this.send({ type: MessageType.Ack, ackId, status: AckStatus.Ok, message: '' });
  }

  /** Opens a client here, and sends its handshake request. */
  open(options: Partial<FakeClientOptions> = {}): FakeClient {
    return new FakeClient(this, { id: 'c1', protocol: 'json', ...options });
  }

  #receive(data: Buffer): void {
    this.frames.push(data.length);
    this.#records.push(data, (bytes, start, end) => {
      let at = start;
      while ((bytes[at] as number) > 0x7f) at++;
      const message = decodeServiceMessage(bytes.slice(at + 1, end))!;
      this.received.push(message);
      if (message.type === MessageType.HandshakeRequest) this.#welcome();
      if (message.type === MessageType.Ping) this.#ping(message.entries);
      if (message.type === MessageType.CheckConnectionExistenceWithAck) this.#check(message.ackId);
    });
  }

  #check(ackId: number): void {
    if (this.#service.answersChecks) this.confirm(ackId);
  }

  #ping([key]: readonly string[]): void {
    if (key !== 'shutdown' || !this.#service.acknowledgesFin) return;
    this.send({ type: MessageType.Ping, entries: ['shutdown', 'finack'] });
  }

  #welcome(): void {
    const errorMessage = this.#service.handshakeError;
    if (errorMessage === undefined) return;
    this.send({ type: MessageType.HandshakeResponse, errorMessage, connectionId: 'x' });
    this.ready = errorMessage === '';
  }
}

export interface FakeClientOptions {
  readonly id: string;
  readonly protocol: string;
  readonly claims: OpenConnection['claims'];
  readonly headers: OpenConnection['headers'];
  readonly queryString: string;
  /** Bytes instead of the usual handshake request; empty sends none. */
  readonly handshake: Uint8Array;
}

/** One client, as the service sees it. */
export class FakeClient {
  readonly id: string;
  readonly connection: FakeServerConnection;
  readonly protocol: HubProtocol;

  constructor(
    connection: FakeServerConnection,
    options: Partial<FakeClientOptions> & Pick<FakeClientOptions, 'id' | 'protocol'>,
  ) {
    this.id = options.id;
    this.connection = connection;
    this.protocol = findProtocol(options.protocol) ?? findProtocol('json')!;
    connection.send({
      type: MessageType.OpenConnection,
      connectionId: this.id,
      claims: options.claims ?? [],
      headers: options.headers ?? new Map(),
      queryString: options.queryString ?? '',
      protocol: options.protocol,
    });
    const handshake = options.handshake ?? encodeHandshakeRequest(options.protocol, 1);
    if (handshake.length > 0) this.write(handshake);
  }

  write(payload: Uint8Array): void {
    const connectionId = this.id;
    this.connection.send({ type: MessageType.ConnectionData, connectionId, payload });
  }

  /** One JSON hub message, RS added. */
  json(message: object): void {
    this.write(Buffer.from(`${JSON.stringify(message)}\x1e`));
  }

  /** Calls a method; `invocationId` '' sends no id. */
  call(target: string, args: unknown[] = [], invocationId = '1'): void {
    this.write(this.protocol.invocation(target, args, invocationId || undefined));
  }

  close(headers: CloseConnection['headers'] = new Map()): void {
    const errorMessage = '';
    this.connection.send({
      type: MessageType.CloseConnection,
      connectionId: this.id,
      errorMessage,
      headers,
    });
  }

  /** The payloads that were written to it, with their data types. */
  get written(): ConnectionData[] {
    return this.connection
      .ofType(MessageType.ConnectionData)
      .filter(({ connectionId }) => connectionId === this.id);
  }

  /** The same as texts, without RS. */
  get texts(): string[] {
    return this.written.map(({ payload }) => {
      const text = Buffer.from(payload).toString();
      return text.endsWith('\x1e') ? text.slice(0, -1) : text;
    });
  }

  /** The n-th thing written to it, from 0 for the handshake response. */
  async text(n: number): Promise<string> {
    return until(() => this.texts[n], `text ${n} of client ${this.id}`);
  }

  async bytes(n: number): Promise<Buffer> {
    return until(() => this.written[n] && Buffer.from(this.written[n].payload), `bytes ${n}`);
  }

  /** The service is told that the client can go. */
  async released(): Promise<void> {
    await until(
      () =>
        this.connection
          .ofType(MessageType.CloseConnection)
          .some(({ connectionId }) => connectionId === this.id),
      `close of client ${this.id}`,
    );
  }
}
