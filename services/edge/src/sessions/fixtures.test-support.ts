import { randomBytes } from 'node:crypto';
import type { MessageFromServer, MessageFromService } from '@trunkline/protocol';
import {
  decodeServiceMessage,
  encodeServiceMessage,
  frameBodyStart,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  RecordBuffer,
} from '@trunkline/protocol';
import { createLogger, LogDigest } from '@trunkline/telemetry';
import { AccessKeys } from '@trunkline/tokens';
import { ConnectionTable } from '../model/connection-table.ts';
import type { Socket, SocketHandler } from '../ports/socket.ts';
import { SendResult } from '../ports/socket.ts';
import type { ClientIdentity } from './client/client-session.ts';
import { ClientSession } from './client/client-session.ts';
import { HeldPosts } from './client/http/held-posts.ts';
import { TRANSPORTS } from './client/transport.ts';
import { Counters } from './counters.ts';
import type { LabelCounts } from './counters.ts';
import type { Clock, EdgeContext } from './edge-context.ts';
import { Intake } from './intake.ts';
import { HubDirectory } from './hub-directory.ts';
import { PacedCloses } from './paced-closes.ts';
import type { ServerIdentity } from './server/server-session.ts';
import { ServerSession } from './server/server-session.ts';
import { ClientResults } from './server/client-results.ts';
import type { PoolName } from '../pools.ts';
import { Pools } from '../pools.ts';
import { TurnClock } from './turns.ts';
import { TurnFlusher } from './turn-flusher.ts';
import { TokenVerifier } from './token-verifier.ts';
import type { Expiring } from './watch.ts';
import { Watch } from './watch.ts';

/** ␞ stands for the record separator in every text of these tests. */
export const wire = (text: string): Buffer => Buffer.from(text.replaceAll('␞', '\x1e'), 'latin1');
export const readable = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('latin1').replaceAll('\x1e', '␞');

export const JSON_HANDSHAKE = '{"protocol":"json","version":1}␞';
export const MESSAGEPACK_HANDSHAKE = '{"protocol":"messagepack","version":1}␞';

/** When the next turn has begun: what the sessions batch within one has been sent. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A payload for every protocol that a test wants to see, by its name. */
export function payloads(given: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  return new Map(Object.entries(given).map(([name, text]) => [name, wire(text)]));
}

/** Counts other than 0. */
export function counted(counts: LabelCounts): Record<string, number> {
  return Object.fromEntries([...counts.entries()].filter(([, count]) => count > 0));
}

/** What is held of a pool. */
export function usedOf(pools: Pools, pool: PoolName): number {
  return [...pools.usage()].find(([name]) => name === pool)![1];
}

/**
 * Stands in for uWebSockets.js: records what is sent, tells its session of an `end` or `close`
 * before they return, and throws for whoever touches it afterwards.
 */
export class FakeSocket implements Socket {
  readonly sent: { readonly text: string; readonly binary: boolean }[] = [];
  readonly bytes: Buffer[] = [];
  /** What `send` answers next, and always. */
  answer: number = SendResult.Sent;
  buffered = 0;
  ended: { readonly code: number; readonly reason: string } | undefined;
  cut = false;
  #handler: SocketHandler | undefined;

  open(handler: SocketHandler): void {
    this.#handler = handler;
    handler.opened(this);
  }

  get isOpen(): boolean {
    return this.#handler !== undefined;
  }

  send(message: Uint8Array, binary: boolean): number {
    this.#opened();
    if (this.answer === SendResult.Dropped) return this.answer;
    this.sent.push({ text: readable(message), binary });
    this.bytes.push(Buffer.from(message));
    return this.answer;
  }

  getBufferedAmount(): number {
    this.#opened();
    return this.buffered;
  }

  end(code: number, reason: string): void {
    const handler = this.#opened();
    this.ended = { code, reason };
    this.#handler = undefined;
    handler.disconnected(code, reason);
  }

  close(): void {
    const handler = this.#opened();
    this.cut = true;
    this.#handler = undefined;
    handler.disconnected(1006, '');
  }

  /** The peer sends bytes; they are overwritten afterwards, because they are only lent. */
  receive(bytes: Uint8Array): void {
    const lent = Buffer.from(bytes);
    this.#opened().received(lent);
    lent.fill(0xff);
  }

  /** The peer has taken everything. */
  drain(): void {
    this.buffered = 0;
    this.answer = SendResult.Sent;
    this.#opened().drained();
  }

  /** The peer has gone. */
  leave(code: number, why = ''): void {
    const handler = this.#opened();
    this.#handler = undefined;
    handler.disconnected(code, why);
  }

  #opened(): SocketHandler {
    if (this.#handler === undefined) throw new Error('Invalid access of closed uWS.WebSocket');
    return this.#handler;
  }
}

/** A service message in a short form that tests can compare. */
export function brief(message: MessageFromService): unknown[] {
  switch (message.type) {
    case MessageType.HandshakeResponse:
      return ['handshake', message.errorMessage];
    case MessageType.Ping:
      return ['ping', ...message.entries];
    case MessageType.OpenConnection:
      return ['open', message.connectionId, message.protocol];
    case MessageType.ConnectionData:
      return ['data', message.connectionId, readable(message.payload)];
    case MessageType.CloseConnection:
      return ['close', message.connectionId, message.errorMessage];
    case MessageType.Ack:
      return ['ack', message.ackId, message.status];
    default:
      return [message.type];
  }
}

/** An app server's end of a server connection. */
export class FakeServer {
  readonly socket = new FakeSocket();
  readonly session: ServerSession;
  readonly #frames = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);
  #read = 0;

  constructor(session: ServerSession) {
    this.session = session;
    this.socket.open(session);
  }

  says(...messages: readonly MessageFromServer[]): void {
    this.socket.receive(Buffer.concat(messages.map(encodeServiceMessage)));
  }

  /** ConnectionData for a client. */
  data(client: { readonly id: string }, text: string): void {
    this.says({
      type: MessageType.ConnectionData,
      connectionId: client.id,
      payload: wire(text),
    });
  }

  closes(client: { readonly id: string }, errorMessage = ''): void {
    const { id: connectionId } = client;
    this.says({
      type: MessageType.CloseConnection,
      connectionId,
      errorMessage,
      headers: new Map(),
    });
  }

  shakesHands(connectionType = 0, version = 1, migrationLevel = 0): void {
    this.says({
      type: MessageType.HandshakeRequest,
      version,
      connectionType,
      target: '',
      migrationLevel,
    });
  }

  /** The messages that have come since this was last asked, this turn's included. */
  async messages(): Promise<MessageFromService[]> {
    await turn();
    const messages: MessageFromService[] = [];
    for (const frame of this.socket.bytes.slice(this.#read)) {
      this.#frames.push(frame, (bytes, start, end) => {
        const copy = Buffer.from(bytes.subarray(frameBodyStart(bytes, start), end));
        messages.push(decodeServiceMessage(copy) as MessageFromService);
      });
    }
    this.#read = this.socket.bytes.length;
    return messages;
  }

  /** The same, in short forms. */
  async heard(): Promise<unknown[][]> {
    return (await this.messages()).map(brief);
  }
}

/** A client's end of its connection. */
export class FakeClient {
  readonly socket = new FakeSocket();
  readonly session: ClientSession;

  constructor(session: ClientSession) {
    this.session = session;
    this.socket.open(session);
  }

  get id(): string {
    return this.session.id;
  }

  says(text: string): void {
    this.socket.receive(wire(text));
  }

  /** All that it was ever sent, frame by frame. */
  get heard(): string[] {
    return this.socket.sent.map(({ text }) => text);
  }
}

const LIMITS: EdgeContext['limits'] = {
  messageBytes: 64 * 1024,
  serverWaitMs: 10_000,
  clientQueueBytes: 64 * 1024,
  migration: 'app',
  pollMs: 90_000,
  transports: 7,
  connections: Infinity,
  hubs: 1000,
  openSockets: Infinity,
};

/** The older of the edge's two access keys. */
export const KEY = 'the key';

/** The sessions of an edge without its listener, on a clock that tests move. */
export class TestEdge {
  readonly context: EdgeContext;
  readonly hubs: HubDirectory;
  readonly watch: Watch;
  /** Who else is to be swept. */
  readonly expiring: Expiring[] = [];
  /** What has been logged, info and above. */
  readonly lines: Record<string, unknown>[] = [];
  #now = 1_000_000;
  #due: { readonly at: number; readonly run: () => void }[] = [];
  #servers = 0;
  #worked = 0;
  /** What each look at the clock of work has cost: nothing, so that all is done at once. */
  workMs = 0;

  constructor(limits: Partial<EdgeContext['limits']> = {}) {
    const pools = new Pools();
    const random = (bytes: number): Uint8Array => randomBytes(bytes);
    const write = (line: string): void =>
      void this.lines.push(JSON.parse(line) as Record<string, unknown>);
    const log = createLogger({ name: 'edge', level: 'info' }, { write });
    const clock: Clock = {
      now: () => this.#now,
      unixSeconds: () => 1_700_000_000 + this.#now / 1000,
      after: (ms, run) => void this.#due.push({ at: this.#now + ms, run }),
    };
    const counters = new Counters();
    this.context = {
      edgeId: 'edge-1',
      clock,
      log,
      digest: new LogDigest(log, () => this.#now),
      limits: { ...LIMITS, ...limits },
      counters,
      pools,
      intake: new Intake(pools, new TurnClock(() => (this.#worked += this.workMs))),
      tick: 0,
      clients: new ConnectionTable('test', random),
      servers: new Set(),
      results: new ClientResults(pools),
      tokens: new TokenVerifier(new AccessKeys(['newer key', KEY]), clock, counters),
      flusher: new TurnFlusher(),
      opening: new Set(),
      expiring: new Map(),
      moves: { heldBytes: 0 },
      pacedCloses: new PacedCloses(clock, counters),
      openings: { heldBytes: 0 },
      heldPosts: new HeldPosts(),
      backlogged: new Set(),
    };
    this.hubs = new HubDirectory(this.context);
    this.watch = new Watch(this.context, this.expiring);
    // Its timer is real: tests sweep by hand.
    this.watch.stop();
    this.watch.sweep();
  }

  get now(): number {
    return this.#now;
  }

  /** Lets time pass as it does for a live edge, which sweeps every second. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.passWithin(1000);
      this.watch.sweep();
    }
  }

  /** Lets milliseconds pass between two sweeps. */
  passWithin(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#takeDue(end); next !== undefined; next = this.#takeDue(end)) {
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }

  #takeDue(end: number): { readonly at: number; readonly run: () => void } | undefined {
    const [first] = this.#due.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
    this.#due = this.#due.filter((one) => one !== first);
    return first;
  }

  /** Lets time pass without the edge noticing, as in a frozen machine. */
  sleep(seconds: number): void {
    this.#now += seconds * 1000;
    this.watch.sweep();
  }

  /** A server connection that has not said anything yet. */
  strangeServer(
    identity: Partial<Omit<ServerIdentity, 'hub'>> & { hub?: string } = {},
  ): FakeServer {
    const { hub = 'chat', serverId = 'server-1' } = identity;
    const id = identity.id ?? `cid-${++this.#servers}`;
    const { userAgent = 'trunkline-sdk/1', offer } = identity;
    return new FakeServer(
      new ServerSession(
        { id, serverId, userAgent, offer, hub: this.hubs.open(hub, 'server')! },
        this.context,
      ),
    );
  }

  /** A server connection that has shaken hands, and read the answer. */
  async server({
    level = 0,
    ...identity
  }: Parameters<TestEdge['strangeServer']>[0] & { level?: number } = {}): Promise<FakeServer> {
    const server = this.strangeServer(identity);
    server.shakesHands(0, 1, level);
    await server.messages();
    return server;
  }

  /** A client that has not said anything yet. */
  strangeClient(
    identity: Partial<Omit<ClientIdentity, 'hub'>> & { hub?: string } = {},
  ): FakeClient {
    const { hub = 'chat', ...rest } = identity;
    return new FakeClient(
      new ClientSession(
        {
          id: this.context.clients.reserve()!,
          userId: undefined,
          opening: { tokenPayload: '{"sub":"ann"}', headers: [], queryString: '' },
          affinity: { sticky: 'Disabled', serverName: undefined },
          transport: TRANSPORTS.webSockets,
          handshakeMs: 15_000,
          expiresAt: undefined,
          early: undefined,
          ...rest,
          hub: this.hubs.open(hub, 'server')!,
        },
        this.context,
      ),
    );
  }

  /** A client that `server` serves and whose handshake is done; both have read what came. */
  async client(
    server: FakeServer,
    identity: Parameters<TestEdge['strangeClient']>[0] & { handshake?: string } = {},
  ): Promise<FakeClient> {
    const { handshake = JSON_HANDSHAKE, ...rest } = identity;
    const client = this.strangeClient(rest);
    client.says(handshake);
    server.data(client, '{}␞');
    await server.messages();
    client.socket.sent.length = 0;
    return client;
  }

  /** How many client connections ended for which reasons. */
  get closes(): Record<string, number> {
    return counted(this.context.counters.clientCloses);
  }
}
