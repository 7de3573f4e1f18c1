import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { SettingsError } from '@trunkline/settings';
import { LogDigest } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import type { AccessKeys } from '@trunkline/tokens';
import type { FastifyInstance } from 'fastify';
import { createAdminApp } from './admin/admin-app.ts';
import { createEdgeRegistry } from './admin/metrics.ts';
import { BusStats } from './bus/bus-stats.ts';
import { joinBusAt } from './bus/join-bus.ts';
import type { EdgeConfig } from './config.ts';
import { listen, type ListenerSettings } from './listener/uws-listener.ts';
import { formatTag, TAG_LENGTH } from './model/connection-id.ts';
import { ConnectionTable } from './model/connection-table.ts';
import type { JoinBus } from './ports/bus.ts';
import { Health } from './admin/health.ts';
import { keptFiles, openFilesLimit, socketLimit, spareSockets } from './open-files.ts';
import { randomPool } from './random-pool.ts';
import { BusBridge } from './sessions/bus-bridge.ts';
import { ClientAdmission } from './sessions/client/admission.ts';
import { HeldPosts } from './sessions/client/http/held-posts.ts';
import { HttpDoor } from './sessions/client/http/http-door.ts';
import { CLIENT_CLOSE_REASONS } from './sessions/close-reason.ts';
import { Counters } from './sessions/counters.ts';
import type { CoreContext } from './sessions/core-context.ts';
import { HubDirectory } from './sessions/hub-directory.ts';
import { ServerAdmission } from './sessions/server/admission.ts';
import { ClientResults } from './sessions/server/client-results.ts';
import { MigrationLog } from './sessions/migration-log.ts';
import { Intake } from './sessions/intake.ts';
import { poolLimits, Pools } from './pools.ts';
import { PacedCloses } from './sessions/paced-closes.ts';
import { Outbox } from './sessions/outbox.ts';
import { TurnFlusher } from './sessions/turn-flusher.ts';
import { TokenVerifier } from './sessions/token-verifier.ts';
import { WaitingLog } from './sessions/waiting-log.ts';
import { Watch } from './sessions/watch.ts';
import { SYSTEM_TIME } from './system-time.ts';

/** What peers are given to read their goodbyes before the sockets are cut. */
const GOODBYE_MS = 300;

export interface Edge {
  /** Where clients and app servers reach it. */
  readonly url: string;
  readonly adminUrl: string;
  /** Replaces the access keys; connections stay. */
  useKeys(keys: AccessKeys): void;
  /** Says goodbye to every connection, then closes. Takes well under a second. `why`: for the log. */
  stop(why: string): Promise<void>;
}

/** Builds an edge and opens its ports, the admin port first: it is live before it is ready. */
export async function startEdge(config: EdgeConfig, log: Logger): Promise<Edge> {
  const openFiles = openFilesLimit();
  const context = createContext(config, log, openFiles);
  const hubs = new HubDirectory(context);
  const stats = new BusStats();
  const bridge = new BusBridge(context, hubs, await joinBusOf(config, context, stats));
  hubs.joinBus(bridge);
  const { tokens } = context;
  const clients = new ClientAdmission(context, tokens, hubs, config);
  const servers = new ServerAdmission(context, tokens, hubs);
  const health = new Health(stats, SYSTEM_TIME);
  const admin = createAdminApp(createEdgeRegistry(context, hubs, stats), health);
  await listenForAdmin(admin, config);
  const requests = new HttpDoor(context, clients, context.heldPosts);
  const listener = await listen(listenerSettings(config, context, openFiles), {
    client: (request) => clients.connect(request),
    server: (request) => servers.connect(request),
    negotiate: (request) => clients.negotiate(request),
    receive: (request, exchange) => requests.receive(request, exchange),
    send: (request) => requests.send(request),
    leave: (request) => requests.leave(request),
  });
  const watch = new Watch(context, [
    clients,
    hubs,
    requests,
    context.heldPosts,
    new MigrationLog(context),
    new WaitingLog(context, hubs),
  ]);
  health.isServing = true;

  const stop = async (why: string): Promise<void> => {
    logStop(context, why);
    health.isServing = false;
    listener.stopListening();
    // Clients that are not open yet come first: their hubs do not know all of them.
    for (const client of context.unsettled) client.close(CLIENT_CLOSE_REASONS.serviceReload);
    for (const hub of hubs) hub.closeAll(CLIENT_CLOSE_REASONS.serviceReload);
    for (const server of context.servers) server.stop();
    await setTimeout(GOODBYE_MS);
    watch.stop();
    listener.close();
    context.digest.flush();
    await bridge.close();
    await admin.close();
  };
  return {
    url: config.publicUrl ?? localUrl(config.tls ? 'https' : 'http', config.host, listener.port),
    adminUrl: localUrl('http', config.adminHost, (admin.server.address() as AddressInfo).port),
    useKeys: (keys) => {
      tokens.keys = keys;
    },
    stop,
  };
}

function joinBusOf(config: EdgeConfig, context: CoreContext, stats: BusStats): Promise<JoinBus> {
  const { edgeId, cluster, bus } = config;
  return joinBusAt(bus, { edgeId, cluster, stats, digest: context.digest, time: SYSTEM_TIME });
}

function listenerSettings(
  config: EdgeConfig,
  context: CoreContext,
  openFiles: number,
): ListenerSettings {
  const { counters, pools, limits, digest } = context;
  const turnedAway = (remoteAddress: string): void => {
    counters.refusals.add('open_files');
    digest.info({ reason: 'open_files' }, 'socket closed', { remoteAddress });
  };
  const { openSockets } = limits;
  const spare = spareSockets(openFiles);
  return { ...config, counters, pools, openSockets, spareSockets: spare, turnedAway };
}

function logStop({ log, clients, servers }: CoreContext, why: string): void {
  log.info({ why, clients: clients.size, serverConnections: servers.size }, 'edge stops');
}

async function listenForAdmin(admin: FastifyInstance, config: EdgeConfig): Promise<void> {
  const { adminHost: host, adminPort: port } = config;
  try {
    await admin.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new SettingsError(
      `cannot listen on ${host} port ${port} (${code}): choose another --admin-port or --admin-host`,
    );
  }
}

function createContext(config: EdgeConfig, log: Logger, openFiles: number): CoreContext {
  const time = SYSTEM_TIME;
  const random = randomPool();
  const pools = new Pools(poolLimits({ ...config, kept: keptFiles(openFiles) }));
  const counters = new Counters();
  const outbox = new Outbox(counters.fanoutSeconds, time);
  return {
    edgeId: config.edgeId,
    time,
    log,
    digest: new LogDigest(log, time.now),
    limits: {
      hubMessageBytes: config.maxMessageBytes,
      serverWaitMs: config.serverWaitMs,
      clientQueueBytes: config.clientQueueBytes,
      migration: config.migration,
      pollMs: config.pollMs,
      transports: config.transports,
      connections: config.maxConnections,
      hubs: config.maxHubs,
      openSockets: socketLimit(openFiles),
    },
    counters,
    pools,
    outbox,
    intake: new Intake(pools, outbox, time),
    tick: 0,
    clients: new ConnectionTable(formatTag(random(TAG_LENGTH)), random),
    servers: new Set(),
    results: new ClientResults(pools, time),
    tokens: new TokenVerifier(config.accessKeys, time, counters),
    flusher: new TurnFlusher(time),
    unsettled: new Set(),
    expiring: new Map(),
    pacedCloses: new PacedCloses(time, counters),
    heldPosts: new HeldPosts(),
    backlogged: new Set(),
  };
}

/** An address that can be opened: listening everywhere includes this machine. */
function localUrl(scheme: string, host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
