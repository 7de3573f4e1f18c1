import { randomBytes } from 'node:crypto';
import { BlockList } from 'node:net';

import { createLogger, LogDigest } from '@trunkline/telemetry';
import { AccessKeys, DEVELOPMENT_ACCESS_KEY } from '@trunkline/tokens';
import { vi } from 'vitest';

import { MemoryBroker } from '../../../services/edge/src/bus/memory-bus.ts';
import { ClusterStats } from '../../../services/edge/src/cluster/cluster-stats.ts';
import { createCore } from '../../../services/edge/src/core.ts';
import type { Core } from '../../../services/edge/src/core.ts';
import { listen } from '../../../services/edge/src/listener/uws-listener.ts';
import { Pools } from '../../../services/edge/src/pools.ts';
import type { Listener } from '../../../services/edge/src/ports/listener.ts';
import type { UpstreamHttp } from '../../../services/edge/src/ports/upstream-http.ts';
import { SYSTEM_TIME } from '../../../services/edge/src/system-time.ts';

const MIB = 1024 * 1024;

/** An edge of this process, with its public port. */
export interface ClusterEdge {
  readonly url: string;
  readonly core: Core;
  readonly pools: Pools;
}

/** Edges of one cluster in this process, on a memory bus, each with a public port of its own. */
export class EdgeCluster implements AsyncDisposable {
  readonly edges: readonly ClusterEdge[];
  readonly #listeners: readonly Listener[];

  /** Resolves when they know each other. */
  static async open(count: number): Promise<EdgeCluster> {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const names = Array.from({ length: count }, (_, at) => `edge-${at + 1}`);
    const opened = await Promise.all(names.map((name) => openEdge(name, broker, count === 1)));
    const cluster = new EdgeCluster(opened);
    await vi.waitUntil(() => cluster.edges.every((edge) => knows(edge, count)), 20_000);
    return cluster;
  }

  private constructor(opened: readonly { edge: ClusterEdge; listener: Listener }[]) {
    this.edges = opened.map(({ edge }) => edge);
    this.#listeners = opened.map(({ listener }) => listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { core } of this.edges) core.closeAll();
    for (const listener of this.#listeners) listener.close();
    await Promise.all(this.edges.map(({ core }) => core.stop()));
  }
}

function knows({ core }: ClusterEdge, count: number): boolean {
  const others = core.cluster.othersOf('chat').edges;
  return core.cluster.isSettled && others.length === count - 1;
}

const NO_UPSTREAMS: UpstreamHttp = {
  post: () => {
    throw new Error('no hub of these edges has an upstream');
  },
};

async function openEdge(
  edgeId: string,
  broker: MemoryBroker,
  isAlone: boolean,
): Promise<{ edge: ClusterEdge; listener: Listener }> {
  const log = createLogger({ name: edgeId, level: 'fatal' }, { write() {} });
  const pools = new Pools();
  const core = createCore({
    edgeId,
    limits: {
      hubMessageBytes: 4 * MIB,
      serverWaitMs: 10_000,
      clientQueueBytes: 8 * MIB,
      pollMs: 90_000,
      batchBytes: 8 * MIB,
      drainMs: 0,
      drainRate: 500,
      rebalance: 0,
      transports: 7,
      connections: Infinity,
      hubs: 1000,
      openSockets: Infinity,
    },
    pools,
    provenance: { allowedOrigins: ['*'], trustedProxies: new BlockList() },
    accessKeys: new AccessKeys([DEVELOPMENT_ACCESS_KEY]),
    time: SYSTEM_TIME,
    random: (bytes) => randomBytes(bytes),
    log,
    digest: new LogDigest(log, SYSTEM_TIME.now),
    joinBus: (listener) => broker.join(edgeId, listener),
    hubs: {
      named: new Map(),
      others: { withoutServer: 'wait', migration: 'app', upstream: [] },
    },
    upstream: { http: NO_UPSTREAMS, limits: { timeoutMs: 100_000, concurrency: 100 } },
    cluster: { stats: new ClusterStats(), refused() {}, isAlone, publicUrl: '' },
  });
  const listener = await listen(
    {
      host: '127.0.0.1',
      port: 0,
      sharesPort: false,
      bodies: core.bodies,
      tls: undefined,
      allowedOrigins: ['*'],
      maxBatchBytes: 8 * MIB,
      clientQueueBytes: 8 * MIB,
      openSockets: 10_000,
      spareSockets: 100,
      turnedAway() {},
      counters: core.context.counters,
      pools,
    },
    core.doors,
  );
  return { edge: { url: `http://127.0.0.1:${listener.port}`, core, pools }, listener };
}
