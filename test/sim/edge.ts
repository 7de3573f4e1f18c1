import { BlockList } from 'node:net';

import { createLogger, LogDigest } from '@trunkline/telemetry';
import { AccessKeys } from '@trunkline/tokens';

import { BusStats } from '../../services/edge/src/bus/bus-stats.ts';
import { EngineBus } from '../../services/edge/src/bus/engine-bus.ts';
import { ClusterStats } from '../../services/edge/src/cluster/cluster-stats.ts';
import { type Core, createCore } from '../../services/edge/src/core.ts';
import { Pools } from '../../services/edge/src/pools.ts';
import type { JoinBus } from '../../services/edge/src/ports/bus.ts';
import type { BodyExchange } from '../../services/edge/src/ports/exchange.ts';
import type { HttpRequest } from '../../services/edge/src/ports/listener.ts';
import type { UpstreamHttp } from '../../services/edge/src/ports/upstream-http.ts';
import { type Clock, Machine } from './clock.ts';
import type { Dice } from './dice.ts';
import { Connection, type PeerEvents } from './connection.ts';
import type { SimEngine, SimLine } from './engine.ts';
import type { Journal } from './journal.ts';
import { SimRequest } from './request.ts';

/** The access key of everybody. */
export const KEY = 'the key of the simulation';
/** After a sleep, until all is as before. */
const CATCH_UP_MS = 2_000;

const KB = 1024;
const LIMITS = {
  hubMessageBytes: 64 * KB,
  batchBytes: 128 * KB,
  serverWaitMs: 10_000,
  clientQueueBytes: 64 * KB,
  pollMs: 90_000,
  transports: 7,
  connections: Infinity,
  hubs: 1_000,
  openSockets: Infinity,
  drainMs: 2_000,
  drainRate: 500,
  rebalance: 0,
} as const;

const NO_UPSTREAMS: UpstreamHttp = {
  post: () => {
    throw new Error('no hub of the simulation has an upstream');
  },
};

/** One life of an edge's process: everything that the edge runs but its ports. */
export class SimEdge {
  readonly edgeId: string;
  readonly machine: Machine;
  readonly core: Core;
  readonly busStats = new BusStats();
  readonly clusterStats = new ClusterStats();
  readonly pools = new Pools();
  readonly #dice: Dice;
  /** Connections and requests of clients and app servers, those that have ended included. */
  readonly #connections = new Set<{ edgeEnded(): void }>();
  /** On the clock of the simulation. */
  drainsSince: number | undefined;
  #isLeaving = false;
  #frozenUntil = -Infinity;
  #line!: SimLine;

  /** `publicUrl`: where it is reached by itself; empty behind a load balancer. */
  constructor(
    edgeId: string,
    publicUrl: string,
    clock: Clock,
    dice: Dice,
    engine: SimEngine,
    journal: Journal,
  ) {
    this.edgeId = edgeId;
    this.#dice = dice;
    this.machine = new Machine(clock);
    const { time } = this.machine;
    const log = createLogger({ name: 'edge', level: 'fatal' }, { write: () => {} });
    const digest = new LogDigest(log, time.now);
    const random = (count: number): Uint8Array => dice.bytes(count);
    const membership = { edgeId, cluster: 'sim', stats: this.busStats, digest, time, random };
    const joinBus: JoinBus = (listener) =>
      new EngineBus(
        membership,
        'sim',
        journal.listening(this, listener),
        (_names, events) => (this.#line = engine.connect(edgeId, this.machine, events)),
      );
    this.core = createCore({
      edgeId,
      limits: LIMITS,
      pools: this.pools,
      provenance: { allowedOrigins: ['*'], trustedProxies: new BlockList() },
      accessKeys: new AccessKeys([KEY]),
      time,
      random,
      log,
      digest,
      joinBus,
      hubs: {
        named: new Map(),
        others: { withoutServer: 'wait', migration: 'app', upstream: [] },
      },
      upstream: { http: NO_UPSTREAMS, limits: { timeoutMs: 100_000, concurrency: 100 } },
      cluster: {
        stats: this.clusterStats,
        refused: (why) => journal.violation('settled', `${edgeId} is refused: ${why}`),
        isAlone: false,
        publicUrl,
      },
    });
  }

  get line(): SimLine {
    return this.#line;
  }

  /** It takes newcomers. */
  get isServing(): boolean {
    return !this.machine.hasEnded && !this.#isLeaving;
  }

  /** The other edges that it knows to be there. */
  get others(): readonly string[] {
    return this.core.cluster.othersOf('chat').edges;
  }

  /** How often another edge was gone for it: it may have been there all the time. */
  get edgesLost(): number {
    return this.clusterStats.lost;
  }

  /** Clients and app servers are sent to it: it knows the others. */
  get isReady(): boolean {
    return this.isServing && this.core.cluster.isSettled;
  }

  /** It was frozen at some time since then. */
  wasFrozenSince(at: number): boolean {
    return this.#frozenUntil >= at;
  }

  client(peer: Machine, request: HttpRequest, events: PeerEvents): Connection {
    return this.#dialled(peer, events, (upgrade) => this.core.doors.client(request, upgrade));
  }

  /** A request of a client; `body`: of a post. */
  request(
    peer: Machine,
    request: HttpRequest,
    body: Uint8Array | undefined,
    answered: (status: number, body: Buffer) => void,
  ): SimRequest {
    const admit = (exchange: BodyExchange): void => this.#ask(request, body, exchange);
    const asked = new SimRequest(this.machine, peer, this.#dice, admit, answered);
    this.#connections.add(asked);
    return asked;
  }

  server(peer: Machine, request: HttpRequest, events: PeerEvents): Connection {
    return this.#dialled(peer, events, (upgrade) => this.core.doors.server(request, upgrade));
  }

  freeze(): void {
    this.#frozenUntil = Infinity;
    this.machine.freeze();
  }

  /** What had waited takes a moment. */
  thaw(): void {
    this.#frozenUntil = this.machine.clock.now + CATCH_UP_MS;
    this.machine.thaw();
  }

  /** It sends its clients away, and takes no new ones. */
  drain(): void {
    this.drainsSince = this.machine.clock.now;
    this.core.draining.begin();
  }

  /** Its process is killed. */
  kill(): void {
    this.machine.end();
    this.#line.forget();
    for (const connection of this.#connections) connection.edgeEnded();
  }

  /** It says goodbye to everybody, and its process ends when that is said. */
  leave(): void {
    this.#isLeaving = true;
    this.core.closeAll();
    this.machine.clock.in(300, this.machine, () => {
      void this.core.stop();
      this.machine.clock.in(50, this.machine, () => this.kill());
    });
  }

  #ask(request: HttpRequest, body: Uint8Array | undefined, exchange: BodyExchange): void {
    const { doors, bodies } = this.core;
    if (request.method === 'GET') return doors.receive(request, exchange);
    if (request.method === 'DELETE') return doors.leave(request, exchange);
    const post = doors.send(request, exchange);
    if (post !== undefined) bodies.open(post, exchange)?.(body!, true);
  }

  #dialled(
    peer: Machine,
    events: PeerEvents,
    admit: ConstructorParameters<typeof Connection>[3],
  ): Connection {
    const connection = new Connection(this.machine, peer, this.#dice, admit, events);
    this.#connections.add(connection);
    return connection;
  }
}
