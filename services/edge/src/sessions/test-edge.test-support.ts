import { randomBytes } from 'node:crypto';
import { BlockList } from 'node:net';
import { MessageType } from '@trunkline/protocol';
import { createLogger, LogDigest } from '@trunkline/telemetry';
import { AccessKeys } from '@trunkline/tokens';
import { MemoryBroker } from '../bus/memory-bus.ts';
import { ClusterStats } from '../cluster/cluster-stats.ts';
import { Pools } from '../pools.ts';
import type { JoinBus } from '../ports/bus.ts';
import type { Doors, HttpAnswer, HttpRequest } from '../ports/listener.ts';
import type { Random } from '../ports/random.ts';
import type { SocketHandler } from '../ports/socket.ts';
import type { UpstreamHttp } from '../ports/upstream-http.ts';
import { ManualTime } from '../ports/manual-time.test-support.ts';
import type { ClientIdentity } from './client/client-session.ts';
import { ClientSession } from './client/client-session.ts';
import type { CoreContext } from './core-context.ts';
import type { Core } from '../core.ts';
import { createCore } from '../core.ts';
import type { SessionLimits } from './edge-context.ts';
import { FakeClient } from './fake-client.test-support.ts';
import { FakeExchange } from './fake-exchange.test-support.ts';
import { FakeServer } from './fake-server.test-support.ts';
import { FakeUpgrade } from './fake-upgrade.test-support.ts';
import type { HubDirectory } from './hub-directory.ts';
import type { HubPolicy } from './hub-policies.ts';
import type { ServerIdentity } from './server/server-session.ts';
import { ServerSession } from './server/server-session.ts';
import { TRANSPORTS } from './transport.ts';
import type { CallLimits } from './upstream/call-pool.ts';
import { counted, JSON_HANDSHAKE } from './wire.test-support.ts';

const LIMITS: SessionLimits = {
  hubMessageBytes: 64 * 1024,
  batchBytes: 4 * 1024 * 1024,
  serverWaitMs: 10_000,
  clientQueueBytes: 64 * 1024,
  pollMs: 90_000,
  transports: 7,
  connections: Infinity,
  hubs: 1000,
  openSockets: Infinity,
  drainMs: 30_000,
  drainRate: 500,
  rebalance: 0,
};

const NO_UPSTREAMS: UpstreamHttp = {
  post: () => {
    throw new Error('no upstream is to be called');
  },
};

/** The older of the edge's two access keys. */
export const KEY = 'the key';

/** Time that tests move, but for the ends of turns: those come by themselves, and tests await them. */
export class TestTime extends ManualTime {
  override endOfTurn(run: () => void): void {
    setImmediate(run);
  }
}

/** What a test may want otherwise: bounds, and what becomes of the clients of every hub. */
export type TestSettings = Partial<SessionLimits & HubPolicy>;

interface TestEdgeOptions {
  /** How upstreams are called: by nobody, unless given. */
  readonly http?: UpstreamHttp;
  readonly upstream?: CallLimits;
  readonly edgeId?: string;
  readonly pools?: Pools;
  readonly time?: ManualTime;
  readonly joinBus?: JoinBus;
  readonly allowedOrigins?: readonly string[];
  /** Where clients reach it and no other edge. */
  readonly publicUrl?: string;
  /** Random bytes; the tag of its connection ids is made of the first four. */
  readonly random?: Random;
}

/**
 * The core of an edge, on a time that tests move. It trusts the proxy 10.0.0.1, and is alone on its
 * bus unless told otherwise.
 */
export class TestEdge {
  readonly core: Core;
  readonly context: CoreContext;
  readonly hubs: HubDirectory;
  readonly doors: Doors;
  readonly time: ManualTime;
  /** Every server connection there has been. */
  readonly servers: FakeServer[] = [];
  readonly clusterStats = new ClusterStats();
  /** Why it may not be part of its cluster. */
  readonly refused: string[] = [];
  /** What has been logged, info and above. */
  readonly lines: Record<string, unknown>[] = [];

  constructor(settings: TestSettings = {}, options: TestEdgeOptions = {}) {
    const { migration = 'app', withoutServer = 'wait', upstream = [], ...limits } = settings;
    const { http = NO_UPSTREAMS } = options;
    const { edgeId = 'edge-1', time = new TestTime(), allowedOrigins = ['*'] } = options;
    const write = (line: string): void =>
      void this.lines.push(JSON.parse(line) as Record<string, unknown>);
    const log = createLogger({ name: 'edge', level: 'info' }, { write });
    const trustedProxies = new BlockList();
    trustedProxies.addAddress('10.0.0.1');
    const alone: JoinBus = (listener) => new MemoryBroker(time).join(edgeId, listener);
    this.core = createCore({
      edgeId,
      limits: { ...LIMITS, ...limits },
      pools: options.pools ?? new Pools(),
      hubs: { named: new Map(), others: { migration, withoutServer, upstream } },
      upstream: { http, limits: options.upstream ?? { timeoutMs: 100_000, concurrency: 100 } },
      provenance: { allowedOrigins, trustedProxies },
      accessKeys: new AccessKeys(['newer key', KEY]),
      time,
      random: options.random ?? ((bytes) => randomBytes(bytes)),
      log,
      digest: new LogDigest(log, () => time.now()),
      joinBus: options.joinBus ?? alone,
      cluster: {
        stats: this.clusterStats,
        refused: (why) => void this.refused.push(why),
        isAlone: options.joinBus === undefined,
        publicUrl: options.publicUrl ?? '',
      },
    });
    this.time = time;
    this.context = this.core.context;
    this.hubs = this.core.hubs;
    this.doors = this.core.doors;
  }

  get now(): number {
    return this.time.now();
  }

  /** Lets seconds pass, in each of which the edge looks after its deadlines. */
  pass(seconds: number): void {
    this.time.pass(seconds * 1000);
  }

  /** Lets seconds pass while the app server keeps itself heard. */
  passWith(server: FakeServer, seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      server.says({ type: MessageType.Ping, entries: [] });
      this.pass(1);
    }
  }

  /** Lets seconds pass without the edge noticing, as in a frozen machine. */
  sleep(seconds: number): void {
    this.time.sleep(seconds * 1000);
  }

  /** What becomes at once of a client's request for a WebSocket. */
  connect(request: HttpRequest): SocketHandler | HttpAnswer {
    const upgrade = new FakeUpgrade();
    this.doors.client(request, upgrade);
    return upgrade.verdict!;
  }

  /** What becomes at once of an app server's request for a WebSocket. */
  dial(request: HttpRequest): SocketHandler | HttpAnswer {
    const upgrade = new FakeUpgrade();
    this.doors.server(request, upgrade);
    return upgrade.verdict!;
  }

  negotiate(request: HttpRequest): HttpAnswer {
    const exchange = new FakeExchange();
    this.doors.negotiate(request, exchange);
    return exchange.answered!;
  }

  /** A server connection that has not said anything yet. */
  strangeServer(
    identity: Partial<Omit<ServerIdentity, 'hub'>> & { hub?: string } = {},
  ): FakeServer {
    const { hub = 'chat', serverId = 'server-1' } = identity;
    const id = identity.id ?? `cid-${this.servers.length + 1}`;
    const { userAgent = 'trunkline-sdk/1', offer } = identity;
    const runtime = this.hubs.open(hub, 'server')!;
    const server = new FakeServer(
      new ServerSession({ id, serverId, userAgent, offer, hub: runtime }, this.context),
    );
    this.servers.push(server);
    return server;
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
          introduction: { tokenPayload: '{"sub":"ann"}', headers: [], queryString: '' },
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
