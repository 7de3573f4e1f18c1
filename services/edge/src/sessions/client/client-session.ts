import { handshakeErrors, ProtocolError } from '@trunkline/protocol';
import type { Group } from '../../model/groups.ts';
import type { Socket, SocketHandler } from '../../ports/socket.ts';
import { GONE_SOCKET, SendResult } from '../../ports/socket.ts';
import type { CloseReason } from '../close-reason.ts';
import { CLIENT_CLOSE_REASONS as REASONS } from '../close-reason.ts';
import type { Host } from '../host.ts';
import type { HubClient } from '../hub-client.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Affinity } from '../served.ts';
import type { Worker } from '../turns.ts';
import type { Unsettled } from '../intake.ts';
import { Arrival } from './arrival.ts';
import type { ClientContext } from './client-context.ts';
import type { ClientProtocol } from './client-protocol.ts';
import { closeFrame } from './client-protocol.ts';
import { pauseStreams, resumeStreams } from './flow-control.ts';
import { mayMove } from '../migration-policy.ts';
import { tellClosed, tellRefused } from './endings-log.ts';
import { Move } from './move.ts';
import type { Introduction } from '../introduction.ts';
import type { Writable } from '../outbox.ts';
import type { HeldMessage } from './opening-queue.ts';
import type { RecordSink } from './record-relay.ts';
import { RecordRelay } from './record-relay.ts';
import type { Transport } from '../transport.ts';

/** How the listener says that the peer broke the WebSocket protocol, or its size limit. */
const INVALID_FRAME = /^Received (?:invalid|too big)/;

/** While a client is arriving it has an `Arrival`, and at no other time. */
const State = { Arriving: 0, Open: 1, Closed: 2 } as const;

/** Who a client is, settled when it was let in. */
export interface ClientIdentity {
  readonly id: string;
  readonly userId: string | undefined;
  readonly hub: HubRuntime;
  readonly transport: Transport;
  readonly introduction: Introduction;
  readonly affinity: Affinity;
  readonly handshakeMs: number;
  /** Unix seconds: when to close it, because the user's sign-in ends. */
  readonly expiresAt: number | undefined;
  /** Sent before the connection was made. */
  readonly early: Buffer | undefined;
}

/**
 * One client connection, from its upgrade to its end: it arrives, then hub messages are relayed both
 * ways, and it may move from one app server to another.
 */
export class ClientSession
  implements HubClient, Unsettled, SocketHandler, RecordSink, Worker, Writable
{
  readonly id: string;
  readonly userId: string | undefined;
  readonly hub: HubRuntime;
  readonly transport: Transport;
  readonly introduction: Introduction;
  readonly affinity: Affinity;
  readonly #context: ClientContext;

  place = -1;
  groups: Group<HubClient> | Set<Group<HubClient>> | undefined;
  host: Host | undefined;
  placeAtHost = -1;
  owed = 0;
  owedEpoch = 0;
  /** The host that was told to pause the client's streams, if one was. */
  pausedAt: Host | undefined;
  unsent: Uint8Array | Uint8Array[] | undefined;

  #state: number = State.Arriving;
  #socket: Socket | undefined;
  #arrival: Arrival | undefined;
  /** The hub protocol, and the messages both ways; there from the client's handshake request on. */
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
    this.introduction = identity.introduction;
    this.affinity = identity.affinity;
    this.#context = context;
    this.#arrival = new Arrival(this, identity, context);
  }

  get edgeId(): string {
    return this.#context.edgeId;
  }

  get isOpen(): boolean {
    return this.#state !== State.Closed;
  }

  get isBusy(): boolean {
    if (this.#move !== undefined) return true;
    if (this.#arrival !== undefined) return this.#arrival.isUnderWay;
    if (this.#state !== State.Open) return false;
    return this.#relay!.isAtWork(0) || this.#context.results.awaits(this);
  }

  /** Its server connection, if it has one, takes more at once. */
  get hasRoom(): boolean {
    return this.host?.isFull !== true;
  }

  /** The handshake response is out, and no Close of the hub yet: fan-out may reach the client. */
  get ready(): boolean {
    return this.#state === State.Open && !this.#relay!.hubClosed;
  }

  get holds(): boolean {
    return this.#arrival?.holds === true;
  }

  get heldPart(): number {
    return this.#arrival?.heldPart ?? 0;
  }

  get protocolName(): string | undefined {
    return this.#relay?.protocol.name;
  }

  opened(socket: Socket): void {
    const { counters, clients } = this.#context;
    this.#socket = socket;
    counters.clientOpens.add(this.transport.label);
    this.hub.connections[this.transport.label]++;
    clients.add(this);
    this.#arrival!.begin();
  }

  received(bytes: Buffer): void {
    this.#context.counters.bytesFromClients += bytes.length;
    this.#context.intake.clients.received(this, bytes);
  }

  work(bytes: Buffer): number {
    const arrival = this.#arrival;
    try {
      if (arrival?.isServed === false) arrival.fromClient(bytes);
      else if (this.isOpen) return this.#relayOn(bytes);
    } catch (error) {
      this.#refuse(error, 'client', REASONS.badRequest);
    }
    return bytes.length;
  }

  /** Passes some of the client's messages to its server; answers how many bytes they had. */
  #relayOn(bytes: Buffer): number {
    const relay = this.#relay!;
    const before = relay.keptFromClient;
    const done = relay.fromClient(bytes, this);
    const { intake, tick } = this.#context;
    if (this.isOpen) intake.unfinishedFromClients.note(this, before, relay.keptFromClient, tick);
    return done;
  }

  stray(): void {
    this.#arrival?.forwarded();
    this.#context.counters.strays++;
    this.#context.intake.idleTalk(this);
  }

  saidNothing(): void {
    this.#context.intake.idleTalk(this);
  }

  mayKeep(bytes: number): boolean {
    const { intake, tick } = this.#context;
    return intake.unfinishedFromClients.mayHold(this, bytes, tick);
  }

  serveFrom(host: Host): void {
    if (this.#move === undefined) this.#arrival!.serveFrom(host);
    else this.#move.serveFrom(host);
  }

  /** The client's hub handshake request is read, and says how client and hub speak. */
  agree(protocol: ClientProtocol, request: Uint8Array): void {
    this.#relay = new RecordRelay(protocol, request, this.#context.limits.hubMessageBytes);
  }

  fromHost(payload: Uint8Array): void {
    try {
      if (this.#arrival !== undefined) this.#arrival.fromHost(payload);
      else if (this.#state === State.Open) this.#relayBack(payload);
    } catch (error) {
      this.#refuse(error, 'server', REASONS.badServerData);
    }
    if (this.#move !== undefined) this.#move.goOn();
  }

  /** Passes messages of the server to the client. */
  #relayBack(payload: Uint8Array): void {
    const relay = this.#relay!;
    const before = relay.keptToClient;
    relay.toClient(payload, this);
    const { intake, tick } = this.#context;
    if (this.isOpen) intake.unfinishedToClients.note(this, before, relay.keptToClient, tick);
  }

  toServer(bytes: Uint8Array, count: number): void {
    this.#context.counters.messagesFromClients += count;
    this.#arrival?.forwarded();
    if (this.#move === undefined) this.host?.forward(this, bytes, count);
    else this.#move.fromClient(bytes, count);
  }

  toClient(bytes: Uint8Array, count: number): void {
    if (this.#state === State.Open) this.send(bytes, count);
  }

  release(memory: Uint8Array): void {
    this.#context.outbox.release(memory);
  }

  send(bytes: Uint8Array, count: number): void {
    const { counters, outbox, tick } = this.#context;
    counters.messagesToClients += count;
    counters.bytesToClients += bytes.length;
    this.#lastSent = tick;
    outbox.send(this, bytes);
  }

  /** A client whose queue is over its limit is closed. */
  write(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const result = socket.send(bytes, this.#relay!.binary);
    if (result === SendResult.Sent) return;
    if (result === SendResult.Dropped) this.close(REASONS.slowClient);
    else this.queued();
  }

  queued(): void {
    this.#context.backlogged.add(this);
    pauseStreams(this);
  }

  hold(message: HeldMessage): boolean {
    return this.#arrival!.hold(message);
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
    if (this.ready && this.#lastSent <= tick) this.toClient(this.#relay!.protocol.ping, 1);
  }

  checkDeadline(now: number, late: number): void {
    if (this.#move === undefined) this.#arrival?.check(now, late);
    else this.#move.check(now, late);
  }

  hostLost(host: Host): void {
    if (this.#arrival !== undefined) return this.#arrival.hostLost();
    if (!this.ready) return this.close(REASONS.serverConnectionClosed);
    const stays = this.#move === undefined && !mayMove(this, host);
    if (stays) this.#context.pacedCloses.add(this);
    else this.#startMove(host).hostLost();
  }

  hostTook(host: Host): void {
    if (this.#move === undefined) this.#arrival?.hostTook();
    else this.#move.hostTook(host);
  }

  turnAway(why?: string): void {
    this.close(REASONS.noAvailableServerConnection, why);
  }

  moveAway(by: number): void {
    if (this.ready && this.#move === undefined) this.#startMove(this.host!).settle(by);
  }

  #startMove(from: Host): Move {
    return (this.#move ??= new Move(this, this.#relay!, from, this.#context));
  }

  /** Has `host` take the client on. `migratedFrom`: the server id that it leaves, if it moves. */
  openAt(host: Host, migratedFrom?: string): void {
    const { protocol, request } = this.#relay!;
    host.open(this, protocol.name, request, migratedFrom);
  }

  /** The hub has answered the handshake request: the client is open. */
  arrived(): void {
    this.#arrival?.end();
    this.#arrival = undefined;
    this.#state = State.Open;
  }

  /** The move is over. */
  moved(): void {
    this.#move = undefined;
  }

  closedByHost(error: string): void {
    this.host?.release(this);
    const refused = this.#arrival !== undefined;
    this.close(refused ? REASONS.handshakeError : REASONS.closedByAppServer, error || undefined);
  }

  /** Ends the connection and tells both sides: the client by a Close, the server by CloseConnection. */
  close(reason: CloseReason, error: string | undefined = reason.text): void {
    if (reason !== REASONS.slowClient) this.#context.outbox.flush(this);
    const socket = this.#socket;
    if (this.#state === State.Closed || socket === undefined) return;
    const parting = this.#partingMessage(reason, error);
    const binary = this.#state === State.Open && this.#relay!.binary;
    this.#end(reason, error);
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
    // What the client has sent still counts; what is sent to it goes nowhere from now on.
    this.#socket = GONE_SOCKET;
    const broken = INVALID_FRAME.test(why) ? REASONS.badRequest : REASONS.connectionLost;
    this.#context.intake.clients.ended(this, () => {
      if (this.isOpen) this.#end(code === 1006 ? broken : REASONS.normal);
    });
  }

  #refuse(error: unknown, side: 'client' | 'server', reason: CloseReason): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#context.counters.protocolErrors.add(`${side}|${error.code}`);
    tellRefused(this.#context, this, side, error);
    if (this.#arrival?.readsHandshake === true) {
      const { canceled, unexpected } = handshakeErrors;
      this.close(REASONS.handshakeError, error.code === 'oversized' ? canceled() : unexpected());
    } else {
      this.close(reason);
    }
  }

  /** The last message to the client: none if its hub's own Close has come. */
  #partingMessage(reason: CloseReason, error: string | undefined): Uint8Array | undefined {
    if (this.#arrival !== undefined) return this.#arrival.partingMessage(error);
    const { sawClose, protocol } = this.#relay!;
    return sawClose ? undefined : closeFrame(protocol, error, reason.reconnect);
  }

  /** Takes the client out of everything that knows it. */
  #end(reason: CloseReason, error?: string): void {
    this.#state = State.Closed;
    this.#socket = undefined;
    this.unsent = undefined;
    this.#arrival?.end();
    this.#arrival = undefined;
    this.#relay?.end();
    const { counters, expiring, backlogged, pacedCloses, clients, results, intake } = this.#context;
    intake.clientGone(this);
    this.hub.connections[this.transport.label]--;
    expiring.delete(this);
    backlogged.delete(this);
    pacedCloses.delete(this);
    this.hub.waiting.delete(this);
    this.hub.model.detach(this);
    results.clientGone(this);
    this.host?.clientGone(this, reason, error);
    this.#move?.end();
    this.#move = undefined;
    clients.release(this.id);
    counters.clientCloses.add(reason.label);
    tellClosed(this.#context, this, reason);
  }
}
