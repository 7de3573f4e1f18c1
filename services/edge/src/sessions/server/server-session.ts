import type { MessageFromService, ServiceMessage } from '@trunkline/protocol';
import {
  ConnectionType,
  MessageType,
  PROTOCOL_VERSION,
  ProtocolError,
  ServiceEventKind,
  ServiceEventObject,
  writeServiceMessage,
} from '@trunkline/protocol';
import { DenseList } from '../../model/dense-list.ts';
import type { Socket, SocketHandler } from '../../ports/socket.ts';
import { openConnection } from '../introduction.ts';
import type { CloseReason } from '../close-reason.ts';
import { CLIENT_CLOSE_REASONS, SERVER_CLOSE_REASONS as REASONS } from '../close-reason.ts';
import type { PooledHost, Software } from '../host.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Served } from '../served.ts';
import { QUIET_SECONDS } from '../served.ts';
import type { Worker } from '../turns.ts';
import { Departure } from './departure.ts';
import { EdgeNews } from './edge-news.ts';
import { Heartbeat } from './heartbeat.ts';
import { Inbound } from './inbound.ts';
import type { ServerContext } from './server-context.ts';
import { Trunk } from './trunk.ts';
import { softwareOf } from './user-agent.ts';

const State = { Handshake: 0, Ready: 1, Draining: 2, Closed: 3 } as const;

const NO_HEADERS = new Map<string, string[]>();

export interface ServerIdentity {
  /** The `cid` of the URL, new for every physical connection. */
  readonly id: string;
  /** One per app process, shared by all of its connections. */
  readonly serverId: string;
  readonly hub: HubRuntime;
  /** `Asrs-User-Agent`: which software it is. */
  readonly userAgent: string;
  /** A fingerprint of what the app's hub offers; undefined where the app does not say. */
  readonly offer?: string | undefined;
}

/**
 * One server connection: service handshake, keep-alive, the frames of its clients both ways, and
 * what the app server asks of the hub.
 */
export class ServerSession implements PooledHost, SocketHandler, Worker {
  readonly id: string;
  readonly serverId: string;
  readonly hub: HubRuntime;
  readonly software: Software;
  readonly offer: string | undefined;
  readonly #clients = new DenseList<'placeAtHost', Served>('placeAtHost');
  readonly #context: ServerContext;
  readonly #inbound: Inbound;
  #state: number = State.Handshake;
  #socket: Socket | undefined;
  /** Whoever chooses it looks before whether it takes clients. */
  readonly mayRefuse = false;
  #trunk: Trunk | undefined;
  #weak = false;
  #migrationLevel = 0;
  #departure: Departure | undefined;
  #edgeNews: EdgeNews | undefined;
  readonly #heartbeat: Heartbeat;
  #toldOfEnd = false;
  /** The peer has gone; what it asked for before that, of its hub, is still done. */
  #leftWork = false;

  constructor(identity: ServerIdentity, context: ServerContext) {
    this.id = identity.id;
    this.serverId = identity.serverId;
    this.hub = identity.hub;
    this.software = softwareOf(identity.userAgent);
    this.offer = identity.offer;
    this.#context = context;
    this.#heartbeat = new Heartbeat(context.time.now());
    this.#inbound = new Inbound(this, context, (message) => this.#shakeHands(message));
  }

  get isOpen(): boolean {
    return this.#state !== State.Closed;
  }

  get isShakingHands(): boolean {
    return this.#state === State.Handshake;
  }

  /** What comes from it counts; once its peer has gone, what that has asked for before. */
  get listens(): boolean {
    return this.isOpen || this.#leftWork;
  }

  get clients(): readonly Served[] {
    return this.#clients.items;
  }

  /** Has clients, or may: not a weak connection, which only sends, nor one that drains. */
  get carriesClients(): boolean {
    return this.#state === State.Ready && !this.#weak;
  }

  /** Carries clients, and gets more of them: it is not full. */
  get takesClients(): boolean {
    return this.carriesClients && this.#trunk?.full === false;
  }

  /** Carries clients, and gets no more only because it is full. */
  get wouldTakeClients(): boolean {
    return this.carriesClients && this.isFull;
  }

  /** Its app server is slow to read: what a client sends it counts against the client's allowance. */
  get isFull(): boolean {
    return this.#trunk?.full === true;
  }

  opened(socket: Socket): void {
    this.#socket = socket;
    this.#context.servers.add(this);
    this.#trunk = new Trunk(socket, this.#context, {
      overflowed: () => this.close(REASONS.slowAppServer),
      filled: () => this.hub.serverFilled(),
    });
  }

  received(bytes: Buffer): void {
    const { time, counters, intake } = this.#context;
    this.#heartbeat.heard(time.now());
    counters.bytesFromServers += bytes.length;
    intake.servers.receivedMeasured(this, bytes);
  }

  work(bytes: Buffer): number {
    const inbound = this.#inbound;
    const before = inbound.kept;
    let done = bytes.length;
    try {
      done = inbound.work(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
    }
    const { intake, tick } = this.#context;
    if (this.isOpen) intake.unfinishedFromServers.note(this, before, inbound.kept, tick);
    return done;
  }

  worked(ms: number): void {
    this.#inbound.worked(ms);
  }

  /** Takes a client on: an OpenConnection, then its handshake request (section 8.2). */
  open(client: Served, protocol: string, handshake: Uint8Array, migratedFrom?: string): void {
    client.host = this;
    this.#clients.add(client);
    const trunk = this.#trunk!;
    const message = openConnection(
      client.id,
      client.introduction,
      protocol,
      client.edgeId,
      client.transport,
      migratedFrom,
    );
    writeServiceMessage(trunk.writer, message);
    trunk.data(client.id, handshake, 0, handshake.length, 0);
  }

  /** Relays hub messages of a client; one that overdraws its allowance is closed. */
  forward(client: Served, bytes: Uint8Array, count: number): void {
    const trunk = this.#trunk!;
    if (trunk.full && !trunk.allows(client, bytes.length)) {
      client.close(CLIENT_CLOSE_REASONS.slowAppServer);
      return;
    }
    trunk.data(client.id, bytes, 0, bytes.length, count);
  }

  /** A client has ended for a reason of its own: its hub is told, and nothing is awaited. */
  clientGone(client: Served): void {
    this.#writeClose(client, NO_HEADERS);
    this.release(client);
  }

  /** A client leaves for another server: its hub is told where to, and lets go of it (section 8.6). */
  handOver(client: Served, serverId: string): void {
    this.#writeClose(client, new Map([['Asrs-Migrate-To', [serverId]]]));
    this.release(client);
  }

  /** Forgets a client without a word to the app server. */
  release(client: Served): void {
    client.host = undefined;
    this.#clients.delete(client);
    this.#departure?.clientLeft(client);
  }

  drained(): void {
    const { heldPosts, guests, time } = this.#context;
    const wasFull = this.isFull;
    this.#trunk!.drained();
    if (this.isFull) return;
    heldPosts.resume(time.now());
    if (wasFull && guests.size > 0) {
      for (const { id } of this.clients) guests.get(id)?.resumed();
    }
    if (wasFull && this.takesClients) this.hub.serverHasRoom();
  }

  queuedBytes(): number {
    return this.#trunk?.queuedBytes() ?? 0;
  }

  /** Keep-alive and silence; called about once a second. `late`: how long this edge itself slept. */
  check(now: number, late: number): void {
    const due = this.#heartbeat.due(now, late);
    if (due.lost) {
      const handshake = this.#state === State.Handshake;
      return this.close(handshake ? REASONS.handshakeError : REASONS.pingTimeout);
    }
    if (due.probe) this.write({ type: MessageType.Ping, entries: ['echo', this.id] });
    if (due.ping) this.write({ type: MessageType.Ping, entries: [] });
    this.#departure?.check(now);
    this.#edgeNews?.check();
    if (!due.silent) return;
    // Clients hear nothing of their hub now: a ping tells them that the edge is there.
    const quietSince = this.#context.tick - QUIET_SECONDS;
    for (const client of this.clients.slice()) client.pingIfQuietSince(quietSince);
  }

  close(reason: CloseReason): void {
    const socket = this.#socket;
    if (this.#leftWork) return this.#dropWork();
    if (this.#state === State.Closed || socket === undefined) return;
    this.#trunk!.flush();
    // The flush has closed the connection, because the queue overflowed by it.
    if (this.#socket === undefined) return;
    this.#end(reason);
    // A peer that is lost, or does not read, would keep its queue; others get what is queued for them.
    if (reason === REASONS.pingTimeout || reason === REASONS.slowAppServer) socket.close();
    else socket.end(reason.code, reason.label);
  }

  tellOfEnd(): void {
    if (this.#toldOfEnd || this.isShakingHands) return;
    this.#toldOfEnd = true;
    this.write(reloading(this.#context.edgeId));
  }

  endsNot(): void {
    this.#toldOfEnd = false;
  }

  /** The edge stops. The app server is told, and dials again. */
  stop(): void {
    this.tellOfEnd();
    this.close(REASONS.serviceReload);
  }

  disconnected(code: number): void {
    if (this.#state === State.Closed) return;
    this.#leftWork = this.#state !== State.Handshake;
    this.#end(code === 1006 ? REASONS.connectionLost : REASONS.normal);
  }

  /** No new clients from now on; those it has stay until they leave or it closes. */
  drain(): void {
    if (this.#state === State.Ready) this.#state = State.Draining;
  }

  /** The app server goes: its clients move to others, and it may end once they have. */
  depart(mode: string): void {
    this.drain();
    if (this.#departure === undefined) {
      this.#departure = new Departure(this, this.#context);
      this.hub.serverLeaves(this);
      this.#tell('info', 'app server leaves', { mode }, { clients: this.clients.length });
    }
    this.#departure.begin(mode);
  }

  /** The app server wants to know which edges there are, now and whenever that changes. */
  askForEdges(): void {
    this.#edgeNews ??= new EdgeNews(this, this.#context.edgeId);
    this.#edgeNews.tell();
  }

  /** The handshake response of a client is out, so that it can be moved. */
  welcomed(client: Served): void {
    this.#departure?.welcomed(client);
  }

  /** What the app says that it can bear of having its clients moved. */
  get migrationLevel(): number {
    return this.#migrationLevel;
  }

  get isDeparting(): boolean {
    return this.#departure !== undefined;
  }

  /** Writes a message of the service that is not a client's own. */
  write(message: MessageFromService): void {
    if (!this.isOpen) return;
    writeServiceMessage(this.#trunk!.writer, message);
    this.#trunk!.schedule();
  }

  /** Tells the app server that a client has gone; to be written before whatever follows from that. */
  #writeClose({ id: connectionId }: Served, headers: Map<string, string[]>): void {
    this.write({ type: MessageType.CloseConnection, connectionId, errorMessage: '', headers });
  }

  #shakeHands(message: ServiceMessage | undefined): void {
    const accepted =
      message?.type === MessageType.HandshakeRequest && message.version === PROTOCOL_VERSION;
    this.write({
      type: MessageType.HandshakeResponse,
      errorMessage: accepted ? '' : `Version mismatch: this service speaks ${PROTOCOL_VERSION}.`,
      connectionId: this.id,
    });
    if (!accepted) return this.close(REASONS.handshakeError);
    this.#weak = message.connectionType === ConnectionType.Weak;
    this.#migrationLevel = message.migrationLevel;
    this.#state = State.Ready;
    this.#heartbeat.handshakeDone(this.#context.time.now());
    this.#tell('info', 'server connected', { weak: this.#weak });
    if (this.#context.isDraining) this.tellOfEnd();
    this.hub.serverReady(this);
  }

  #refuse(error: ProtocolError): void {
    const { code, message } = error;
    this.#context.counters.protocolErrors.add(`server|${code}`);
    this.#tell('warn', 'refused frame', { code }, { err: message });
    if (!this.isOpen) return this.#dropWork();
    this.close(this.#state === State.Handshake ? REASONS.handshakeError : REASONS.badRequest);
  }

  /** Nobody knows where the next frame begins in what its peer, which has gone, has left. */
  #dropWork(): void {
    this.#leftWork = false;
    this.#context.intake.servers.drop(this);
    this.#inbound.drop();
  }

  #tell(level: 'info' | 'warn', message: string, cause: object, latest: object = {}): void {
    const { hub, serverId, id } = this;
    const details = { hub: hub.name, serverId, ...cause };
    this.#context.digest[level](details, message, { id, ...latest });
  }

  #end(reason: CloseReason): void {
    this.#state = State.Closed;
    this.#socket = undefined;
    this.#trunk!.close();
    this.hub.serverGone(this);
    this.#context.servers.delete(this);
    this.#context.intake.serverGone(this, this.#leftWork);
    this.#context.intake.servers.ended(this, () => this.#inbound.drop());
    this.#context.counters.serverCloses.add(reason.label);
    const clients = this.clients.slice();
    const { length } = clients;
    this.#tell('info', 'server connection closed', { reason: reason.label }, { clients: length });
    for (const client of clients) {
      this.release(client);
      client.hostLost(this);
    }
    this.#context.results.serverGone(this, this.#context.time.now());
  }
}

/** What the package logs when maintenance begins (section 13). */
function reloading(edgeId: string): MessageFromService {
  const { ServiceInstance: objectType } = ServiceEventObject;
  const message = 'The edge is stopping.';
  return {
    type: MessageType.ServiceEvent,
    objectType,
    id: edgeId,
    kind: ServiceEventKind.Reloading,
    message,
  };
}
