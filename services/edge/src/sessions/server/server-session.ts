import type { MessageFromService, ServiceMessage } from '@trunkline/protocol';
import {
  ConnectionDataView,
  ConnectionType,
  decodeServiceMessage,
  frameBodyStart,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  PROTOCOL_VERSION,
  ProtocolError,
  readConnectionData,
  RecordBuffer,
  ServiceEventKind,
  ServiceEventObject,
  writeServiceMessage,
} from '@trunkline/protocol';
import { DenseList } from '../../model/dense-list.ts';
import type { Socket, SocketHandler } from '../../ports/socket.ts';
import { openConnection } from '../introduction.ts';
import type { CloseReason } from '../close-reason.ts';
import { CLIENT_CLOSE_REASONS, SERVER_CLOSE_REASONS as REASONS } from '../close-reason.ts';
import type { PooledHost } from '../host.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Served } from '../served.ts';
import { QUIET_SECONDS } from '../served.ts';
import type { Worker } from '../turns.ts';
import { Departure } from './departure.ts';
import { handleMessage } from './handlers.ts';
import { Heartbeat } from './heartbeat.ts';
import type { ServerContext } from './server-context.ts';
import { Trunk } from './trunk.ts';
import { readMessage } from './unreadable.ts';
import {
  losesEarlyAnswers,
  passesAnswers,
  reopensClients,
  restsStreams,
  updatesClaims,
} from './user-agent.ts';

const State = { Handshake: 0, Ready: 1, Draining: 2, Closed: 3 } as const;

/** So many frames of clients' data are passed on between two looks at the clock. */
const SLICE_FRAMES = 32;

const NO_HEADERS = new Map<string, string[]>();
const view = new ConnectionDataView();

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
 * what the app server asks of the hub. Frames are handled strictly in order, without waiting.
 */
export class ServerSession implements PooledHost, SocketHandler, Worker {
  readonly id: string;
  readonly serverId: string;
  readonly hub: HubRuntime;
  /** See `reopensClients`. */
  readonly reopens: boolean;
  /** Passes on what a client answers that another app server has asked. */
  readonly passesAnswers: boolean;
  /** Its process may lose answers of clients that come too soon after its start. */
  readonly losesEarlyAnswers: boolean;
  /** Pauses its streams to a client when the edge asks it to. */
  readonly restsStreams: boolean;
  /** Takes new claims of a client that it has. */
  readonly updatesClaims: boolean;
  readonly offer: string | undefined;
  readonly #clients = new DenseList<'placeAtHost', Served>('placeAtHost');
  readonly #context: ServerContext;
  readonly #frames = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);
  readonly #takeFrame = (bytes: Uint8Array, start: number, end: number): boolean =>
    this.#frame(bytes, start, end) && ++this.#inSlice < SLICE_FRAMES;
  /** Frames since the clock was last looked at. */
  #inSlice = 0;
  #state: number = State.Handshake;
  #socket: Socket | undefined;
  #trunk: Trunk | undefined;
  #weak = false;
  #migrationLevel = 0;
  #departure: Departure | undefined;
  readonly #heartbeat: Heartbeat;
  #relayed = 0;
  /** The peer has gone with bytes of its waiting: what they ask of the hub is still done. */
  #leftWork = false;

  constructor(identity: ServerIdentity, context: ServerContext) {
    this.id = identity.id;
    this.serverId = identity.serverId;
    this.hub = identity.hub;
    this.reopens = reopensClients(identity.userAgent);
    this.passesAnswers = passesAnswers(identity.userAgent);
    this.losesEarlyAnswers = losesEarlyAnswers(identity.userAgent);
    this.restsStreams = restsStreams(identity.userAgent);
    this.updatesClaims = updatesClaims(identity.userAgent);
    this.offer = identity.offer;
    this.#context = context;
    this.#heartbeat = new Heartbeat(context.clock.now());
  }

  get isOpen(): boolean {
    return this.#state !== State.Closed;
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
    this.#trunk = new Trunk(socket, this.#context.flusher, this.#context.counters, () =>
      this.close(REASONS.slowAppServer),
    );
  }

  received(bytes: Buffer): void {
    const { clock, counters, intake } = this.#context;
    this.#heartbeat.heard(clock.now());
    counters.bytesFromServers += bytes.length;
    intake.servers.receivedMeasured(this, bytes);
  }

  work(bytes: Buffer): number {
    const before = this.#frames.reserved;
    let done = bytes.length;
    this.#inSlice = 0;
    try {
      done = this.#frames.push(bytes, this.#takeFrame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
    }
    const { intake, tick } = this.#context;
    if (this.isOpen) intake.unfinishedFromServers.note(this, before, this.#frames.reserved, tick);
    return done;
  }

  worked(ms: number): void {
    if (this.#relayed === 0) return;
    this.#context.counters.serverToClientSeconds.observe(ms / 1000, this.#relayed);
    this.#relayed = 0;
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
      this.#context.edgeId,
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
    this.#trunk!.drained();
    if (this.isFull) return;
    this.#context.heldPosts.resume(this.#context.clock.now());
    if (this.takesClients) this.hub.assignWaiting();
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
    if (!due.silent) return;
    // Clients hear nothing of their hub now: a ping tells them that the edge is there.
    const quietSince = this.#context.tick - QUIET_SECONDS;
    for (const client of this.clients.slice()) client.pingIfQuietSince(quietSince);
  }

  close(reason: CloseReason): void {
    const socket = this.#socket;
    if (this.#state === State.Closed || socket === undefined) return;
    this.#trunk!.flush();
    // The flush has closed the connection, because the queue overflowed by it.
    if (this.#socket === undefined) return;
    this.#end(reason);
    // A peer that is lost, or does not read, would keep its queue; others get what is queued for them.
    if (reason === REASONS.pingTimeout || reason === REASONS.slowAppServer) socket.close();
    else socket.end(reason.code, reason.label);
  }

  /** The edge stops. The app server is told, and dials again. */
  stop(): void {
    if (this.#state !== State.Handshake) this.write(reloading(this.#context.edgeId));
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

  /** Handles a frame. False if it may have cost much, so that the clock is looked at before the next. */
  #frame(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#state === State.Closed && !this.#leftWork) return true;
    this.#context.counters.messagesFromServers++;
    if (this.#state !== State.Handshake && readConnectionData(bytes, start, end, view)) {
      const client = this.#context.clients.find(bytes, view.idStart, view.idEnd);
      this.#relay(client, bytes.subarray(view.payloadStart, view.payloadEnd));
      return true;
    }
    const body = frameBodyStart(bytes, start);
    if (this.#state === State.Handshake) {
      this.#shakeHands(decodeServiceMessage(bytes, body, end));
      return false;
    }
    const message = readMessage(bytes, body, end, this, this.#context);
    if (message?.type === MessageType.ConnectionData) {
      this.#relay(this.#context.clients.get(message.connectionId), message.payload);
    } else if (message !== undefined) {
      handleMessage(message, bytes.subarray(body, end), this, this.#context);
    }
    return false;
  }

  /** A frame for a connection that is gone, or that another server has, is dropped: section 8.3. */
  #relay(client: Served | undefined, payload: Uint8Array): void {
    if (client?.host !== this) {
      this.#context.counters.unknownConnections++;
      return;
    }
    this.#relayed++;
    client.fromHost(payload);
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
    this.#heartbeat.handshakeDone(this.#context.clock.now());
    this.#tell('info', 'server connected', { weak: this.#weak });
    this.hub.serverReady(this);
  }

  #refuse(error: ProtocolError): void {
    const { code, message } = error;
    this.#context.counters.protocolErrors.add(`server|${code}`);
    this.#tell('warn', 'refused frame', { code }, { err: message });
    this.close(this.#state === State.Handshake ? REASONS.handshakeError : REASONS.badRequest);
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
    this.#context.counters.serverCloses.add(reason.label);
    const clients = this.clients.slice();
    const { length } = clients;
    this.#tell('info', 'server connection closed', { reason: reason.label }, { clients: length });
    for (const client of clients) {
      this.release(client);
      client.hostLost(this);
    }
    this.#context.results.serverGone(this, this.#context.clock.now());
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
