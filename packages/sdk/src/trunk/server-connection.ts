import type { ServiceMessage } from '@trunkline/protocol';
import {
  ConnectionDataView,
  ConnectionType,
  decodeServiceMessage,
  frameBodyStart,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  MigrationLevel,
  PROTOCOL_VERSION,
  readConnectionData,
  readServiceMessage,
  RecordBuffer,
  UnreadableMessage,
} from '@trunkline/protocol';

import type { Clock } from '../clock.ts';
import { deferred } from '../deferred.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import { errorMessage, TrunklineError } from '../errors.ts';
import type { Migration } from '../options.ts';
import type { EdgeReport } from './edge-report.ts';
import { Outlet } from './outlet.ts';
import type { Dialled, TrunkSocket } from './socket.ts';

const HANDSHAKE_TIMEOUT_MS = 15_000;
/**
 * Without a byte for this long the service counts as gone (service protocol reference, 7.3); while
 * nothing is read, without taking one.
 */
const SILENCE_MS = 30_000;
const CLOSE_TIMEOUT_MS = 5_000;

const LEVELS = {
  off: MigrationLevel.Off,
  shutdown: MigrationLevel.ShutdownOnly,
  always: MigrationLevel.Any,
} as const satisfies Record<Migration, number>;

/** What arrives on a server connection once it is open, in order. */
export interface Receiver {
  opened(connection: ServerConnection): void;
  message(connection: ServerConnection, message: ServiceMessage): void;
  /** A ConnectionData of the usual form; `bytes` may be reused after the call. */
  data(connection: ServerConnection, bytes: Uint8Array, view: ConnectionDataView): void;
  unreadable(connection: ServerConnection, message: UnreadableMessage): void;
  /** It was open and is not any more. Nothing follows. */
  closed(connection: ServerConnection): void;
}

export interface ServerConnectionOptions extends Dialled {
  /** Where it goes. */
  readonly endpoint: Endpoint;
  readonly connectionType: number;
  readonly receiver: Receiver;
  readonly clock: Clock;
  readonly maximumOutboundBytes: number;
  readonly migration: Migration;
}

/** One WebSocket to the service: its handshake, its batches, its pings and its end. */
export class ServerConnection {
  readonly endpoint: Endpoint;
  /** Clients that it carries; kept by the hub. */
  clients = 0;
  /** What the edge at its other end has last said; undefined where that has not said anything. */
  edges: EdgeReport | undefined;
  /** Other edges take that one for gone, so it is to be spared; kept by the pool. */
  isMissed = false;
  readonly #options: ServerConnectionOptions;
  readonly #socket: TrunkSocket;
  readonly #outlet: Outlet;
  readonly #records = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);
  readonly #view = new ConnectionDataView();
  readonly #closed = deferred();
  readonly #opened = deferred();
  #state: 'opening' | 'open' | 'closed' = 'opening';
  /** When the service has last shown that it is there. */
  #lastSign: number;
  #cancelDeadline = () => {};
  /** Why the socket was given up, when that was our doing. */
  #fault: Error | undefined;

  constructor(options: ServerConnectionOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.#socket = options.endpoint.dial(options);
    this.#lastSign = options.clock.now();
    const takenUnread = () => (this.#lastSign = options.clock.now());
    this.#outlet = new Outlet(this.#socket, options.maximumOutboundBytes, takenUnread);
    this.#listen();
  }

  /** The hub key. */
  get hub(): string {
    return this.#options.hub;
  }

  /** Whether it takes sends; one that either side is closing does not any more. */
  get open(): boolean {
    return this.#state === 'open' && this.#socket.readyState === this.#socket.OPEN;
  }

  /** Resolves when nothing more arrives, whoever ended it. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Resolves after the service's handshake; rejects when that fails or takes over 15 s. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** As the service was told; a connection for sends only gets no clients. */
  get carriesClients(): boolean {
    return this.#options.connectionType !== ConnectionType.Weak;
  }

  /** Why it was lost; undefined while it is open, and when the service closed it. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** Bytes that the service has not taken yet. */
  get waiting(): number {
    return this.#outlet.waiting;
  }

  /** Whether as much is waiting to be sent as may. */
  get full(): boolean {
    return this.#outlet.full;
  }

  /** Throws TrunklineError `not-connected` or `outbound-full`. */
  send(message: ServiceMessage): void {
    if (!this.open) {
      throw new TrunklineError('not-connected', 'the server connection is closed; send again');
    }
    if (this.full) {
      throw new TrunklineError(
        'outbound-full',
        `${this.#outlet.waiting} bytes wait for the service, which reads too slowly; send less, or later`,
      );
    }
    this.#outlet.batch.add(message);
  }

  /**
   * What a hub connection itself writes to its client. Dropped when closed. Never refused, for its
   * amount is bounded by what was received, and a full connection is not read from.
   */
  sendData(connectionId: string, payload: Uint8Array, dataType: number): void {
    if (this.#state === 'open') this.#outlet.batch.addData(connectionId, payload, dataType);
  }

  /** The same for any other message that must not be refused. */
  post(message: ServiceMessage): void {
    if (this.#state === 'open') this.#outlet.batch.add(message);
  }

  /**
   * Pending while streams should send nothing: they use half of what may wait, calls and their
   * answers half of the rest, so that they do not make `send` throw. Resolves when there is room
   * again, or the connection has closed.
   */
  roomForStreams(): Promise<void> | undefined {
    return this.#state === 'closed' ? undefined : this.#outlet.roomForStreams();
  }

  /** The same for calls, which should not start meanwhile. */
  roomForAnswers(): Promise<void> | undefined {
    return this.#state === 'closed' ? undefined : this.#outlet.roomForAnswers();
  }

  /** To be called every few seconds: keeps the connection alive, or ends it when it is dead. */
  keepAlive(now: number, entries: readonly string[]): void {
    if (this.#state !== 'open') return;
    if (now - this.#lastSign > SILENCE_MS) this.#giveUp('the service was silent for 30 s');
    else if (!this.full) this.#outlet.batch.add({ type: MessageType.Ping, entries });
  }

  /** Sends what is waiting, closes with 1000 and resolves when that is done, within 5 s. */
  async close(): Promise<void> {
    this.#outlet.batch.flush();
    this.#closeSocket();
    await this.closed;
  }

  #listen(): void {
    const socket = this.#socket;
    const { clock } = this.#options;
    socket.once('open', () => {
      this.#cancelDeadline = clock.after(HANDSHAKE_TIMEOUT_MS, () => {
        this.#giveUp('no handshake response within 15 s');
      });
      this.#shakeHands();
    });
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      this.#fault = this.endpoint.service.refusal(response.statusCode ?? 0);
      socket.terminate();
    });
    socket.on('error', (error) => {
      this.#fault ??= new TrunklineError('not-connected', errorMessage(error), { cause: error });
    });
    socket.on('message', (data) => this.#receive(data));
    socket.once('close', (code) => this.#end(code));
  }

  #shakeHands(): void {
    this.#outlet.batch.add({
      type: MessageType.HandshakeRequest,
      version: PROTOCOL_VERSION,
      connectionType: this.#options.connectionType,
      target: '',
      migrationLevel: LEVELS[this.#options.migration],
      allowStatefulReconnects: false,
    });
    this.#outlet.batch.flush();
  }

  #receive(data: unknown): void {
    if (this.#fault !== undefined || this.#state === 'closed') return;
    this.#lastSign = this.#options.clock.now();
    try {
      this.#records.push(data as Buffer, (bytes, start, end) => this.#record(bytes, start, end));
    } catch (error) {
      this.#giveUp(`the service broke the protocol: ${errorMessage(error)}`);
    }
  }

  #record(bytes: Uint8Array, start: number, end: number): void {
    if (this.#fault !== undefined) return;
    if (this.#state === 'opening') {
      this.#welcome(decodeServiceMessage(bytes, frameBodyStart(bytes, start), end));
    } else if (readConnectionData(bytes, start, end, this.#view)) {
      this.#options.receiver.data(this, bytes, this.#view);
    } else {
      this.#message(bytes, start, end);
    }
  }

  #message(bytes: Uint8Array, start: number, end: number): void {
    const { receiver } = this.#options;
    const message = readServiceMessage(bytes, frameBodyStart(bytes, start), end);
    if (message instanceof UnreadableMessage) receiver.unreadable(this, message);
    else if (message !== undefined) receiver.message(this, message);
  }

  /** The service's first message must be its handshake response (service protocol reference, 7.2). */
  #welcome(message: ServiceMessage | undefined): void {
    this.#cancelDeadline();
    if (message?.type !== MessageType.HandshakeResponse) {
      this.#giveUp('the first message of the service is not its handshake response');
    } else if (message.errorMessage !== '') {
      this.#giveUp(`the service refused the server connection: ${message.errorMessage}`);
    } else {
      this.#state = 'open';
      this.#options.receiver.opened(this);
      this.#opened.resolve();
    }
  }

  /** Ends the connection from our side, for a reason that `opened` or the log gets. */
  #giveUp(reason: string): void {
    this.#fault ??= new TrunklineError('not-connected', reason);
    this.#closeSocket();
    // A silent peer answers no close frame, and its clients should not wait for one.
    if (this.#state === 'open') this.#end(1000);
  }

  /** Closes the socket with 1000, and without ceremony when that has not worked within 5 s. */
  #closeSocket(): void {
    const socket = this.#socket;
    const cancel = this.#options.clock.after(CLOSE_TIMEOUT_MS, () => socket.terminate());
    if (socket.readyState === socket.CLOSED) cancel();
    else socket.once('close', cancel);
    socket.close(1000);
  }

  #end(code: number): void {
    if (this.#state === 'closed') return;
    this.#cancelDeadline();
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#outlet.close();
    if (wasOpen) this.#options.receiver.closed(this);
    this.#opened.reject(
      this.#fault ?? new TrunklineError('not-connected', `the service closed with code ${code}`),
    );
    this.#closed.resolve();
  }
}
