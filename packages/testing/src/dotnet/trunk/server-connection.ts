import type { HandshakeRequest, MessageFromServer, MessageFromService } from '@trunkline/protocol';
import { encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { WebSocket } from 'ws';

import type { Clock } from '../clock.ts';
import { Deferred } from '../deferred.ts';
import { DotnetException, errorOf } from '../exception.ts';
import type { Dial } from './dial.ts';
import { FrameQueue } from './frame-queue.ts';

/** All in milliseconds: service protocol reference, sections 2, 7.2 and 7.3. */
const HANDSHAKE_MS = 15_000;
const SILENCE_MS = 30_000;
const SILENCE_CHECK_MS = 5_000;
const PING_SPACING_MS = 5_000;
const PONG_MS = 30_000;
const CLOSE_WAIT_MS = 5_000;

export interface ServerConnectionOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly handshake: HandshakeRequest;
  readonly log: (line: string) => void;
  /** The load that its keep-alive tells: clients of the process, and on this connection. */
  readonly load: (connection: ServerConnection) => readonly [number, number];
  readonly received: (message: MessageFromService, connection: ServerConnection) => void;
  /** A connection that was open has ended, whoever ended it. */
  readonly lost: (connection: ServerConnection) => void;
}

/** How an attempt to connect went. */
export type Attempt = 'connected' | 'refused' | 'late';

/** One WebSocket to the service: handshake, keep-alive, silence (service protocol reference, 7). */
export class ServerConnection {
  readonly id: string;
  /** Clients that were opened here, with the service instance that holds each. */
  readonly clients = new Map<string, string | undefined>();
  readonly #options: ServerConnectionOptions;
  readonly #socket: WebSocket;
  readonly #frames = new FrameQueue();
  readonly #timers: (() => void)[] = [];
  readonly #attempt = new Deferred<Attempt>();
  readonly #closed = new Deferred<void>();
  #state: 'opening' | 'connected' | 'unwritable' | 'closed' = 'opening';
  #unwritable = 'The connection is not active.';
  #lastHeard = 0;
  #lastPing = 0;
  #batch: Buffer[] = [];

  constructor(options: ServerConnectionOptions) {
    this.#options = options;
    const { url, headers, id } = options.dial;
    this.id = id;
    this.#socket = new WebSocket(url, { headers, perMessageDeflate: false, maxPayload: 0 });
    this.#socket.on('open', () => this.#opened());
    this.#socket.on('message', (data: Buffer) => this.#received(data));
    this.#socket.on('error', (error) => this.#options.log(`Failed to connect: ${error.message}`));
    this.#socket.on('close', () => this.#ended());
  }

  /** Resolves when the handshake is done, or the attempt is over. */
  get attempt(): Promise<Attempt> {
    return this.#attempt.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get isWritable(): boolean {
    return this.#state === 'connected';
  }

  /** All that is written in one turn goes out as one WebSocket message. Throws when it cannot. */
  write(message: MessageFromServer): void {
    if (!this.isWritable) {
      throw new DotnetException('ServiceConnectionNotActiveException', this.#unwritable);
    }
    this.#send(encodeServiceMessage(message));
  }

  /** Reads on, but writes no more (sections 13.1 and 18.3). */
  stopWriting(why: string): void {
    if (this.#state !== 'connected') return;
    this.#flush();
    this.#state = 'unwritable';
    this.#unwritable = why;
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#flush();
    this.#socket.close(1000);
    this.#timers.push(this.#options.clock.after(CLOSE_WAIT_MS, () => this.#socket.terminate()));
  }

  /** Ends without a word. */
  drop(): void {
    this.#socket.terminate();
  }

  #opened(): void {
    const { clock, handshake } = this.#options;
    const late = clock.after(HANDSHAKE_MS, () => {
      this.#attempt.resolve('late');
      this.close();
    });
    void this.#attempt.promise.then(late);
    this.#send(encodeServiceMessage(handshake));
  }

  #received(data: Buffer): void {
    this.#lastHeard = this.#options.clock.now();
    if (this.#state === 'connected') this.#ping();
    try {
      this.#frames.push(data);
      this.#frames.drain((message) => {
        if (this.#state === 'opening') this.#shakeHands(message);
        else if (message !== undefined) this.#options.received(message, this);
      });
    } catch (error) {
      this.#options.log(`ErrorProcessingMessages: ${errorOf(error).message}`);
      if (this.#state === 'opening') this.#refused();
    }
  }

  #shakeHands(message: MessageFromService | undefined): void {
    if (message?.type !== MessageType.HandshakeResponse) return this.#refused();
    if (message.errorMessage !== '') {
      this.#options.log(`Handshake refused: ${message.errorMessage}`);
      return this.#refused();
    }
    const { clock } = this.#options;
    this.#state = 'connected';
    this.#lastPing = clock.now();
    this.#timers.push(clock.every(SILENCE_CHECK_MS, () => this.#checkSilence()));
    this.#timers.push(clock.every(PONG_MS, () => this.#socket.pong()));
    this.#attempt.resolve('connected');
  }

  #refused(): void {
    this.#attempt.resolve('refused');
    this.close();
  }

  /** Only what comes in makes the package ping (section 7.3). */
  #ping(): void {
    const now = this.#options.clock.now();
    if (now - this.#lastPing <= PING_SPACING_MS) return;
    this.#lastPing = now;
    const [all, here] = this.#options.load(this);
    const entries = ['#clientInHub', `${all}`, '#client', `${here}`];
    this.write({ type: MessageType.Ping, entries });
  }

  #checkSilence(): void {
    if (this.#options.clock.now() - this.#lastHeard < SILENCE_MS) return;
    this.#options.log('Service timeout: nothing came for 30 s.');
    this.close();
  }

  #send(frame: Buffer): void {
    if (this.#batch.length === 0) setImmediate(() => this.#flush());
    this.#batch.push(frame);
  }

  #flush(): void {
    if (this.#batch.length === 0) return;
    const bytes = Buffer.concat(this.#batch);
    this.#batch = [];
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  #ended(): void {
    const wasOpen = this.#state !== 'opening';
    this.#state = 'closed';
    for (const cancel of this.#timers) cancel();
    this.#attempt.resolve('refused');
    this.#closed.resolve();
    if (wasOpen) this.#options.lost(this);
  }
}
