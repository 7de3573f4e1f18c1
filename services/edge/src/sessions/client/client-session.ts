import {
  encodeHandshakeError,
  handshakeErrors,
  ProtocolError,
  readHandshakeRequest,
  readHandshakeResponse,
} from '@trunkline/protocol';
import type { Group } from '../../model/groups.ts';
import type { Socket, SocketHandler } from '../../ports/socket.ts';
import { GONE_SOCKET, SendResult } from '../../ports/socket.ts';
import type { CloseReason } from '../close-reason.ts';
import { CLIENT_CLOSE_REASONS as REASONS } from '../close-reason.ts';
import type { Host, PooledHost } from '../host.ts';
import type { HubClient } from '../hub-client.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Affinity } from '../served.ts';
import type { Worker } from '../turns.ts';
import type { Unsettled } from '../intake.ts';
import type { ClientContext } from './client-context.ts';
import type { ClientProtocol } from './client-protocol.ts';
import { clientProtocol, closeFrame, sharedHandshake } from './client-protocol.ts';
import { pauseStreams, resumeStreams } from './flow-control.ts';
import { mayMove } from '../migration-policy.ts';
import { tellClosed, tellRefused } from './endings-log.ts';
import { Move } from './move.ts';
import type { Opening } from '../opening.ts';
import { OpeningPhase } from './opening-phase.ts';
import type { HeldMessage } from './opening-queue.ts';
import type { RecordSink } from './record-relay.ts';
import { RecordRelay } from './record-relay.ts';
import type { Transport } from '../transport.ts';

/** The hub handshake request; real ones have 40 bytes. */
const HANDSHAKE_BYTES = 4096;
/** How long an app server may take to answer a handshake that it has been sent. */
const ANSWER_MS = 15_000;

/** How the listener says that the peer broke the WebSocket protocol, or its size limit. */
const INVALID_FRAME = /^Received (?:invalid|too big)/;

const State = { Handshake: 0, Waiting: 1, Opening: 2, Open: 3, Closed: 4 } as const;

/** Who a client is, settled when it was let in. */
export interface ClientIdentity {
  readonly id: string;
  readonly userId: string | undefined;
  readonly hub: HubRuntime;
  readonly transport: Transport;
  readonly opening: Opening;
  readonly affinity: Affinity;
  readonly handshakeMs: number;
  /** Unix seconds: when to close it, because the user's sign-in ends. */
  readonly expiresAt: number | undefined;
  /** Sent before the connection was made. */
  readonly early: Buffer | undefined;
}

/**
 * One client connection, from its upgrade to its end: hub handshake request read, server
 * connection found, handshake response written, then hub messages relayed both ways.
 */
export class ClientSession implements HubClient, Unsettled, SocketHandler, RecordSink, Worker {
  readonly id: string;
  readonly userId: string | undefined;
  readonly hub: HubRuntime;
  readonly transport: Transport;
  readonly opening: Opening;
  readonly affinity: Affinity;
  readonly #context: ClientContext;

  place = -1;
  groups: Group<HubClient> | Set<Group<HubClient>> | undefined;
  host: Host | undefined;
  placeAtHost = -1;
  owed = 0;
  owedEpoch = 0;
  /** The host that lets the client's streams rest. */
  pausedAt: Host | undefined;

  #state: number = State.Handshake;
  #socket: Socket | undefined;
  #phase: OpeningPhase | undefined;
  #protocol: ClientProtocol | undefined;
  #handshake: Uint8Array | undefined;
  #relay: RecordRelay | undefined;
  /** The edge's tick at which the client last was sent something. */
  #lastSent = 0;
  /** There is one while the client is on its way from one app server to another. */
  #move: Move | undefined;

  constructor(identity: ClientIdentity, context: ClientContext) {
    this.id = identity.id;
    this.userId = identity.userId;
    this.hub = identity.hub;
    this.transport = identity.transport;
    this.opening = identity.opening;
    this.affinity = identity.affinity;
    this.#context = context;
    this.#phase = new OpeningPhase(context.clock.now(), identity);
  }

  get isOpen(): boolean {
    return this.#state !== State.Closed;
  }

  /** Its server connection, if it has one, takes more at once. */
  get hasRoom(): boolean {
    return this.host?.isFull !== true;
  }

  /** The handshake response is out, and no Close of the hub yet: fan-out may reach the client. */
  get ready(): boolean {
    return this.#state === State.Open && !this.#relay!.hubClosed;
  }

  /** What its app server, or another, sends it waits for the handshake response. */
  get holds(): boolean {
    return this.#state === State.Opening && !this.#phase!.answered;
  }

  /** Bytes that are held for it, of shared ones its part. */
  get heldPart(): number {
    return this.#phase?.heldPart ?? 0;
  }

  get protocolName(): string | undefined {
    return this.#protocol?.name;
  }

  opened(socket: Socket): void {
    const { counters, clients, opening, expiring } = this.#context;
    const { expiresAt } = this.#phase!;
    this.#socket = socket;
    counters.clientOpens.add(this.transport.label);
    this.hub.connections[this.transport.label]++;
    clients.add(this);
    opening.add(this);
    if (expiresAt !== undefined) expiring.set(this, expiresAt);
    const early = this.#takeEarly();
    if (early !== undefined) this.received(early);
  }

  received(bytes: Buffer): void {
    this.#context.counters.bytesFromClients += bytes.length;
    this.#context.intake.clients.received(this, bytes);
  }

  work(bytes: Buffer): number {
    try {
      if (this.#state === State.Open || this.#state === State.Opening) return this.#relayOn(bytes);
      if (this.#state === State.Handshake) this.#readHandshake(bytes);
      else if (this.#state === State.Waiting) this.#keepEarly(bytes);
    } catch (error) {
      this.#refuse(error, 'client', REASONS.badRequest);
    }
    return bytes.length;
  }

  /** Some of the client's messages, to its server; answers how many bytes that was. */
  #relayOn(bytes: Buffer): number {
    const relay = this.#relay!;
    const before = relay.keptFromClient;
    const done = relay.fromClient(bytes, this);
    const { intake, tick } = this.#context;
    if (this.isOpen) intake.unfinishedFromClients.note(this, before, relay.keptFromClient, tick);
    return done;
  }

  stray(): void {
    if (this.#phase !== undefined) this.#phase.forwarded = true;
    this.#context.counters.strays++;
    this.#context.intake.stray(this);
  }

  /**
   * Its hub handshake is read and `host` takes it on: it learns of the client, then its bytes. From
   * now on the hub knows the client, which until then is in no group and gets nothing.
   */
  serveFrom(host: PooledHost): void {
    if (this.#move !== undefined) return this.#move.arriveAt(host);
    const now = this.#context.clock.now();
    this.#state = State.Opening;
    this.#phase!.deadline = now + ANSWER_MS;
    this.hub.model.attach(this, now);
    host.open(this, this.#protocol!.name, this.#handshake!);
    // Gone if its opening was what the server connection could not take.
    const early = this.#takeEarly();
    if (early !== undefined) this.received(early);
  }

  /** Data of the server connection that serves this client. */
  fromHost(payload: Uint8Array): void {
    try {
      if (this.#state === State.Open) this.#relayBack(payload);
      else if (this.#phase?.answered === false) this.#readHandshakeResponse(payload);
    } catch (error) {
      this.#refuse(error, 'server', REASONS.badServerData);
    }
    if (this.#move !== undefined) this.#move.goOn();
  }

  /** Messages of the server, to the client. */
  #relayBack(payload: Uint8Array): void {
    const relay = this.#relay!;
    const before = relay.keptToClient;
    relay.toClient(payload, this);
    const { intake, tick } = this.#context;
    if (this.isOpen) intake.unfinishedToClients.note(this, before, relay.keptToClient, tick);
  }

  toServer(bytes: Uint8Array, count: number): void {
    this.#context.counters.messagesFromClients += count;
    if (this.#phase !== undefined) this.#phase.forwarded = true;
    if (this.#move === undefined) this.host?.forward(this, bytes, count);
    else this.#move.fromClient(bytes, count);
  }

  /** Closes a client that does not take them; what else comes for it then is dropped. */
  toClient(bytes: Uint8Array, count: number): void {
    if (this.#state === State.Open && !this.send(bytes, count)) this.close(REASONS.slowClient);
  }

  /** Sends whole hub messages. False when the client's queue is over its limit: close it then. */
  send(bytes: Uint8Array, count: number): boolean {
    const { counters, tick, backlogged } = this.#context;
    const result = this.#socket!.send(bytes, this.#protocol!.binary);
    if (result === SendResult.Dropped) return false;
    if (result === SendResult.Queued) {
      backlogged.add(this);
      pauseStreams(this);
    }
    counters.messagesToClients += count;
    counters.bytesToClients += bytes.length;
    this.#lastSent = tick;
    return true;
  }

  /** For a client that `holds`: keeps a message until the handshake response is out. False: too many wait. */
  hold(message: HeldMessage): boolean {
    this.#context.counters.heldMessages++;
    return this.#phase!.hold(message, this.#context.intake.opening);
  }

  queuedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  drained(): void {
    if (this.queuedBytes() > 0) return;
    this.#context.backlogged.delete(this);
    resumeStreams(this);
  }

  /** Lets a client whose server connection is silent hear that somebody is there. */
  pingIfQuietSince(tick: number): void {
    if (this.ready && this.#lastSent <= tick) this.toClient(this.#protocol!.ping, 1);
  }

  /** `late`: how long this edge itself slept, for which no client is to blame. */
  checkDeadline(now: number, late: number): void {
    if (this.#move !== undefined) return this.#move.check(now, late);
    if (this.#phase === undefined) return;
    this.#phase.deadline += late;
    if (now < this.#phase.deadline) return;
    if (this.#state === State.Waiting) this.turnAway();
    else this.close(REASONS.handshakeError, handshakeErrors.canceled());
  }

  /**
   * The server connection is gone, and with it the client's hub. A client that has neither been
   * answered nor said anything beyond its handshake has lost nothing: another server takes it on.
   */
  hostLost(host: Host): void {
    if (this.ready) {
      const stays = this.#move === undefined && !mayMove(this, host);
      if (stays) return this.#context.pacedCloses.add(this);
      return this.#startMove(host).hostLost();
    }
    if (this.#state === State.Opening && this.#phase?.isFresh === true) return this.#startOver();
    this.close(REASONS.serverConnectionClosed);
  }

  /** No app server takes the client on; `why` if not for lack of any. */
  turnAway(why?: string): void {
    this.close(REASONS.noAvailableServerConnection, why);
  }

  /** Its server goes: so does the client, by then (the edge's clock, ms). */
  moveAway(by: number): void {
    if (this.ready && this.#move === undefined) this.#startMove(this.host!).settle(by);
  }

  #startMove(from: Host): Move {
    return (this.#move ??= new Move(this, this.#relay!, from, this.#context));
  }

  /** Goes on at another server, which is told whose it was. */
  openAt(host: Host, migratedFrom: string): void {
    host.open(this, this.#protocol!.name, this.#handshake!, migratedFrom);
  }

  /** The move is over. */
  moved(): void {
    this.#move = undefined;
  }

  /** The app server has ended this client: all it had to say has been sent. */
  closedByHost(error: string): void {
    this.host?.release(this);
    const refused = this.#state === State.Opening;
    this.close(refused ? REASONS.handshakeError : REASONS.closedByAppServer, error || undefined);
  }

  /** Ends the connection, telling both sides: the client in its hub protocol, the server by a 5. */
  close(reason: CloseReason, error: string | undefined = reason.text): void {
    const socket = this.#socket;
    if (this.#state === State.Closed || socket === undefined) return;
    const parting = this.#partingMessage(reason, error);
    const binary = this.#protocol?.binary === true && this.#state === State.Open;
    this.#end(reason);
    // A client that does not read would keep its queue, and this message, until it does.
    if (reason === REASONS.slowClient) {
      this.#context.counters.slowClients++;
      socket.close();
      return;
    }
    if (parting !== undefined) socket.send(parting, binary);
    socket.end(reason.code, '');
  }

  disconnected(code: number, why: string): void {
    if (this.#state === State.Closed) return;
    // What it has said still counts; what it is told does not any more.
    this.#socket = GONE_SOCKET;
    const broken = INVALID_FRAME.test(why) ? REASONS.badRequest : REASONS.connectionLost;
    this.#context.intake.clients.ended(this, () => {
      if (this.isOpen) this.#end(code === 1006 ? broken : REASONS.normal);
    });
  }

  #readHandshake(bytes: Buffer): void {
    const early = this.#takeEarly();
    const all = early === undefined ? bytes : Buffer.concat([early, bytes]);
    const request = readHandshakeRequest(all, HANDSHAKE_BYTES);
    if (request === undefined) return this.#keepEarly(all);
    this.#protocol = clientProtocol(request.protocol);
    if (this.#protocol.binary && !this.transport.binary) {
      return this.close(
        REASONS.handshakeError,
        handshakeErrors.textOnlyTransport(request.protocol),
      );
    }
    this.#handshake = sharedHandshake(all.subarray(0, request.length));
    this.#relay = new RecordRelay(this.#protocol.binary, this.#context.limits.messageBytes);
    this.#state = State.Waiting;
    if (all.length > request.length) this.#keepEarly(all.subarray(request.length));
    // More than may wait has closed it.
    if (this.#state === State.Waiting) this.#await();
  }

  /** The next server hears of it as the first one did, and its hub says again what it had to say. */
  #startOver(): void {
    this.#phase!.dropHeld();
    this.hub.model.detach(this);
    this.#await();
  }

  /** For a server connection, as long as clients wait. */
  #await(): void {
    this.#state = State.Waiting;
    this.#phase!.deadline = this.#context.clock.now() + this.#context.limits.serverWaitMs;
    this.hub.assign(this);
  }

  #readHandshakeResponse(payload: Uint8Array): void {
    const response = readHandshakeResponse(payload);
    if (response === undefined) {
      throw new ProtocolError('truncated', payload.length, 'half a handshake response');
    }
    const phase = this.#phase!;
    if (response.error !== undefined) {
      // Refused: the client is told so, and the server's close follows.
      phase.answered = true;
      this.send(payload, 0);
      return;
    }
    const { opening, counters, clock } = this.#context;
    this.#state = State.Open;
    this.#phase = undefined;
    opening.delete(this);
    counters.connectSeconds.observe(phase.age(clock.now()));
    const held = phase.takeHeld();
    if (!this.send(payload.subarray(0, response.length), 0)) return this.close(REASONS.slowClient);
    if (held !== undefined) this.toClient(held.bytes, held.count);
    if (payload.length > response.length) this.fromHost(payload.subarray(response.length));
    this.host?.welcomed(this);
  }

  #keepEarly(bytes: Uint8Array): void {
    const { waiting } = this.#context.intake;
    const kept = this.#phase!.keepEarly(bytes);
    if (!kept || !waiting.take(this, bytes.length)) this.close(REASONS.badRequest);
  }

  #takeEarly(): Buffer | undefined {
    this.#context.intake.waiting.giveAll(this);
    return this.#phase?.takeEarly();
  }

  #refuse(error: unknown, side: 'client' | 'server', reason: CloseReason): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#context.counters.protocolErrors.add(`${side}|${error.code}`);
    tellRefused(this.#context, this, side, error);
    if (this.#state === State.Handshake) {
      const { canceled, unexpected } = handshakeErrors;
      this.close(REASONS.handshakeError, error.code === 'oversized' ? canceled() : unexpected());
    } else {
      this.close(reason);
    }
  }

  /** What the client is told at last: its hub's own Close says it all, if it has come. */
  #partingMessage(reason: CloseReason, error: string | undefined): Uint8Array | undefined {
    if (this.#state === State.Open) {
      if (this.#relay!.sawClose) return undefined;
      return closeFrame(this.#protocol!, error, reason.reconnect);
    }
    if (this.#phase!.answered) return undefined;
    return encodeHandshakeError(error ?? handshakeErrors.canceled());
  }

  /** Takes the client out of everything that knows it. */
  #end(reason: CloseReason): void {
    this.#state = State.Closed;
    this.#socket = undefined;
    this.#phase?.dropHeld();
    this.#phase = undefined;
    const { counters, opening, expiring, backlogged, pacedCloses, clients, results, intake } =
      this.#context;
    intake.clientGone(this);
    this.hub.connections[this.transport.label]--;
    opening.delete(this);
    expiring.delete(this);
    backlogged.delete(this);
    pacedCloses.delete(this);
    this.hub.waiting.delete(this);
    this.hub.model.detach(this);
    results.clientGone(this);
    this.host?.clientGone(this);
    this.#move?.end();
    this.#move = undefined;
    clients.release(this.id);
    counters.clientCloses.add(reason.label);
    tellClosed(this.#context, this, reason);
  }
}
