import { setTimeout } from 'node:timers/promises';
import { SettingsError } from '@trunkline/settings';
import { LogDigest } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import { createAdminApp } from './admin/admin-app.ts';
import { listenForAdmin } from './admin/listen-for-admin.ts';
import { createEdgeRegistry } from './admin/metrics.ts';
import { BusStats } from './bus/bus-stats.ts';
import { joinBusAt } from './bus/join-bus.ts';
import type { EdgeConfig } from './config.ts';
import { ClusterStats } from './cluster/cluster-stats.ts';
import { listen, type ListenerSettings } from './listener/uws-listener.ts';
import { Health } from './admin/health.ts';
import { localUrl } from './local-url.ts';
import {
  keptFiles,
  openFilesLimit,
  socketLimit,
  spareSockets,
  withoutUpstreams,
} from './open-files.ts';
import { randomPool } from './random-pool.ts';
import type { Core, CoreParts } from './core.ts';
import { createCore } from './core.ts';
import type { CoreContext } from './sessions/core-context.ts';
import type { SessionLimits } from './sessions/edge-context.ts';
import { poolLimits, Pools } from './pools.ts';
import { SYSTEM_TIME } from './system-time.ts';
import type { UpstreamHttp } from './ports/upstream-http.ts';
import { UndiciHttp } from './upstream-http/undici-http.ts';

/** What peers are given to read their goodbyes before the sockets are cut. */
const GOODBYE_MS = 300;
/** What upstreams are given to hear of their clients' end. */
const FAREWELL_MS = 3_000;

export interface Edge {
  /** Where clients and app servers reach it. */
  readonly url: string;
  readonly adminUrl: string;
  /** Replaces the access keys and the settings of hubs; connections stay. */
  use(settings: Pick<EdgeConfig, 'accessKeys' | 'hubs'>): void;
  /** Sends its clients away; resolves when they have gone, at the deadline at the latest. */
  drain(): Promise<void>;
  /**
   * Says goodbye to every connection, then closes. Takes well under a second, and 3 s more where an
   * upstream is slow to hear of its clients' end. `why`: for the log.
   */
  stop(why: string): Promise<void>;
  /** Rejects when it cannot go on: another edge of its cluster is the same. */
  readonly failed: Promise<never>;
}

/** Builds an edge and opens its ports, the admin port first: it is live before it is ready. */
export async function startEdge(config: EdgeConfig, log: Logger): Promise<Edge> {
  const { hubs, upstream } = config;
  const openFiles = withoutUpstreams(openFilesLimit(), { hubs, ...upstream.limits });
  const stats = new BusStats();
  const cluster = clusterOptions(config);
  const upstreams = new UndiciHttp(upstream.http);
  const core = await buildCore(config, log, openFiles, stats, cluster, upstreams);
  const { context, doors } = core;
  const health = new Health(stats, core.cluster, core.draining, SYSTEM_TIME);
  const registry = createEdgeRegistry(core, stats, cluster.stats);
  const admin = createAdminApp(registry, health, core.draining);
  const adminUrl = await listenForAdmin(admin, config);
  const listener = await listen(listenerSettings(config, core, openFiles), doors);
  health.isServing = true;

  const stop = async (why: string): Promise<void> => {
    logStop(context, why);
    health.isServing = false;
    listener.stopListening();
    core.closeAll();
    await setTimeout(GOODBYE_MS);
    listener.close();
    await Promise.race([context.serverless.whenTold(), setTimeout(FAREWELL_MS)]);
    context.digest.flush();
    await core.stop();
    await upstreams.close();
    await admin.close();
  };
  return {
    url: config.publicUrl ?? localUrl(config.tls ? 'https' : 'http', config.host, listener.port),
    adminUrl,
    use: ({ accessKeys, hubs }) => {
      context.tokens.keys = accessKeys;
      context.policies.replace(hubs);
    },
    drain: () => {
      core.draining.begin();
      return new Promise((resolve) => core.draining.whenDone(resolve));
    },
    stop,
    failed: cluster.failed,
  };
}

/** `failed` rejects when the edge may not be part of its cluster. */
function clusterOptions({
  bus,
  publicUrl = '',
}: EdgeConfig): CoreParts['cluster'] & { failed: Promise<never> } {
  let fail: (error: SettingsError) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  // It may happen before anybody looks.
  failed.catch(() => {});
  const refused = (why: string): void => fail(new SettingsError(why));
  const isAlone = bus.kind === 'memory';
  return { stats: new ClusterStats(), isAlone, publicUrl, refused, failed };
}

async function buildCore(
  config: EdgeConfig,
  log: Logger,
  openFiles: number,
  busStats: BusStats,
  clusterOptions: CoreParts['cluster'],
  http: UpstreamHttp,
): Promise<Core> {
  const { edgeId, cluster, accessKeys } = config;
  const time = SYSTEM_TIME;
  const random = randomPool();
  const digest = new LogDigest(log, time.now);
  return createCore({
    edgeId,
    limits: limitsOf(config, openFiles),
    pools: new Pools(poolLimits({ ...config, kept: keptFiles(openFiles) })),
    provenance: config,
    accessKeys,
    time,
    random,
    log,
    digest,
    cluster: clusterOptions,
    hubs: config.hubs,
    upstream: { http, limits: config.upstream.limits },
    joinBus: await joinBusAt(config.bus, {
      edgeId,
      cluster,
      stats: busStats,
      digest,
      time,
      random,
    }),
  });
}

function limitsOf(config: EdgeConfig, openFiles: number): SessionLimits {
  return {
    hubMessageBytes: config.maxMessageBytes,
    batchBytes: config.maxBatchBytes,
    serverWaitMs: config.serverWaitMs,
    clientQueueBytes: config.clientQueueBytes,
    pollMs: config.pollMs,
    transports: config.transports,
    connections: config.maxConnections,
    hubs: config.maxHubs,
    openSockets: socketLimit(openFiles),
    drainMs: config.drainMs,
    drainRate: config.drainRate,
    rebalance: config.rebalance,
  };
}

function listenerSettings(
  config: EdgeConfig,
  { context, bodies }: Core,
  openFiles: number,
): ListenerSettings {
  const { counters, pools, limits, digest } = context;
  const turnedAway = (remoteAddress: string): void => {
    counters.refusals.add('open_files');
    digest.info({ reason: 'open_files' }, 'socket closed', { remoteAddress });
  };
  const { openSockets } = limits;
  const spare = spareSockets(openFiles);
  const sharesPort = config.processes > 1;
  const shared = { bodies, counters, pools, openSockets, spareSockets: spare, turnedAway };
  return { ...config, ...shared, sharesPort };
}

function logStop({ log, clients, servers }: CoreContext, why: string): void {
  log.info({ why, clients: clients.size, serverConnections: servers.size }, 'edge stops');
}
