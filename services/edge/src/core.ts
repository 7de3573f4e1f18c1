import type { LogDigest, Logger } from '@trunkline/telemetry';
import type { AccessKeys } from '@trunkline/tokens';
import { Bodies, bodiesOfClients } from './bodies.ts';
import { Changes } from './model/changes.ts';
import { formatTag, TAG_LENGTH } from './model/connection-id.ts';
import { ConnectionTable } from './model/connection-table.ts';
import { ForeignIds } from './model/foreign-ids.ts';
import type { Pools } from './pools.ts';
import type { JoinBus } from './ports/bus.ts';
import type { Doors } from './ports/listener.ts';
import type { Random } from './ports/random.ts';
import type { Time } from './ports/time.ts';
import type { UpstreamHttp } from './ports/upstream-http.ts';
import type { ClusterOptions } from './cluster/cluster.ts';
import { Cluster } from './cluster/cluster.ts';
import { RelayDoor } from './cluster/relay-door.ts';
import { ClientAdmission } from './sessions/client/admission.ts';
import { HeldPosts } from './sessions/client/http/held-posts.ts';
import { HttpDoor } from './sessions/client/http/http-door.ts';
import type { Provenance } from './sessions/client/visitor.ts';
import { CLIENT_CLOSE_REASONS } from './sessions/close-reason.ts';
import type { CoreContext } from './sessions/core-context.ts';
import { Counters } from './sessions/counters.ts';
import type { SessionLimits } from './sessions/edge-context.ts';
import { Draining } from './sessions/draining.ts';
import { HubDirectory } from './sessions/hub-directory.ts';
import { Intake } from './sessions/intake.ts';
import { MigrationLog } from './sessions/migration-log.ts';
import { Outbox } from './sessions/outbox.ts';
import { PacedCloses } from './sessions/paced-closes.ts';
import type { GivenPolicies } from './sessions/hub-policies.ts';
import { HubPolicies } from './sessions/hub-policies.ts';
import { Rebalance } from './sessions/rebalance.ts';
import { PublicUrl } from './sessions/rest/public-url.ts';
import { RestDoor } from './sessions/rest/rest-door.ts';
import { ServerAdmission } from './sessions/server/admission.ts';
import { ClientResults } from './sessions/server/client-results.ts';
import { TokenVerifier } from './sessions/token-verifier.ts';
import { TurnFlusher } from './sessions/turn-flusher.ts';
import { WaitingLog } from './sessions/waiting-log.ts';
import type { CallLimits } from './sessions/upstream/call-pool.ts';
import { Changeovers } from './sessions/upstream/changeovers.ts';
import { Serverless } from './sessions/upstream/serverless.ts';
import { Watch } from './sessions/watch.ts';

/** What a core is made of: what settings say, and all that it has of the world outside. */
export interface CoreParts {
  readonly edgeId: string;
  readonly limits: SessionLimits;
  readonly pools: Pools;
  /** Whom the clients' door takes requests from. */
  readonly provenance: Provenance;
  readonly accessKeys: AccessKeys;
  readonly time: Time;
  readonly random: Random;
  readonly log: Logger;
  /** Of that log. */
  readonly digest: LogDigest;
  readonly joinBus: JoinBus;
  /** What is settled for single hubs. */
  readonly hubs: GivenPolicies;
  /** How upstreams are called. */
  readonly upstream: { readonly http: UpstreamHttp; readonly limits: CallLimits };
  /** Its part in a cluster. */
  readonly cluster: Pick<ClusterOptions, 'stats' | 'refused' | 'isAlone' | 'publicUrl'>;
}

const INCARNATION_BYTES = 8;

/** An edge without its ports. */
export interface Core {
  readonly context: CoreContext;
  readonly hubs: HubDirectory;
  /** The other edges. */
  readonly cluster: Cluster;
  /** Whether it is about to stop, and sends its clients away. */
  readonly draining: Draining;
  /** What stands behind the ports. */
  readonly doors: Doors;
  /** What reads posts, of clients and of other edges alike. */
  readonly bodies: Bodies;
  /** Says goodbye to every connection. */
  closeAll(): void;
  /** Ends what runs by itself: the watch, and the membership in the bus. */
  stop(): Promise<void>;
}

/**
 * Builds everything that an edge is but for its listeners. It knows no process, network or clock
 * beyond its parts, so that several can run in one process, on one time and one bus.
 */
export function createCore(parts: CoreParts): Core {
  const context = createContext(parts);
  const hubs = new HubDirectory(context);
  const cluster = new Cluster(context, hubs, {
    ...parts.cluster,
    join: parts.joinBus,
    incarnation: Buffer.from(parts.random(INCARNATION_BYTES)).toString('hex'),
  });
  hubs.join(cluster);
  const draining = new Draining(context, hubs, parts.random, (isOn) => cluster.drains(isOn));
  const clients = new ClientAdmission(
    context,
    hubs,
    parts.provenance,
    cluster.claims,
    (hub, affinity) => cluster.betterFor(hub, affinity),
  );
  cluster.claims.serve(clients);
  const servers = new ServerAdmission(context, context.tokens, hubs, parts.random);
  const requests = new HttpDoor(context, clients, context.heldPosts);
  const bodies = new Bodies(
    bodiesOfClients(context.limits.batchBytes),
    context.counters,
    context.pools,
  );
  cluster.relays.answerBy({ doors: requests, bodies });
  const anywhere = parts.cluster.isAlone ? requests : relayed(context, cluster, requests, clients);
  const { random, provenance } = parts;
  const rest = new RestDoor({ edge: context, random, publicUrl: new PublicUrl(provenance) }, hubs);
  const watch = new Watch(context, [
    cluster,
    clients,
    hubs,
    requests,
    context.heldPosts,
    new MigrationLog(context),
    new WaitingLog(context, hubs),
    new Changeovers(context.serverless, hubs, () => context.isDraining),
    new Rebalance(context, hubs, () => cluster.away()),
  ]);
  return {
    context,
    hubs,
    cluster,
    draining,
    doors: doorsOf(clients, servers, anywhere, rest),
    bodies,
    closeAll: () => closeAll(context, hubs),
    stop: () => {
      watch.stop();
      draining.stop();
      return cluster.close();
    },
  };
}

function doorsOf(
  clients: ClientAdmission,
  servers: ServerAdmission,
  requests: HttpDoor | RelayDoor,
  rest: RestDoor,
): Doors {
  return {
    client: (request, upgrade) => clients.connect(request, upgrade),
    server: (request, upgrade) => servers.connect(request, upgrade),
    negotiate: (request, exchange) => clients.negotiate(request, exchange),
    receive: (request, exchange) => requests.receive(request, exchange),
    send: (request, exchange) => requests.send(request, exchange),
    leave: (request, exchange) => requests.leave(request, exchange),
    rest: (request, exchange) => rest.receive(request, exchange),
  };
}

/** The door of requests where there may be other edges that they are for. */
function relayed(
  context: CoreContext,
  cluster: Cluster,
  here: HttpDoor,
  admission: ClientAdmission,
): RelayDoor {
  const { relays } = cluster;
  return new RelayDoor({
    context,
    here,
    relays,
    homeOf: (tag) => cluster.homeOf(tag),
    admission,
  });
}

function createContext(parts: CoreParts): CoreContext {
  const { edgeId, limits, pools, accessKeys, time, random, log, digest } = parts;
  const counters = new Counters();
  const outbox = new Outbox(counters.fanoutSeconds, time);
  const tokens = new TokenVerifier(accessKeys, time, counters);
  const policies = new HubPolicies(parts.hubs);
  const context: CoreContext = {
    edgeId,
    time,
    log,
    digest,
    limits,
    counters,
    pools,
    outbox,
    intake: new Intake(pools, outbox, time),
    tick: 0,
    isDraining: false,
    clients: new ConnectionTable(formatTag(random(TAG_LENGTH)), random),
    changes: new Changes(),
    servers: new Set(),
    guests: new ForeignIds(),
    results: new ClientResults(pools, time),
    tokens,
    policies,
    flusher: new TurnFlusher(time),
    unsettled: new Set(),
    expiring: new Map(),
    pacedCloses: new PacedCloses(time, random, counters),
    heldPosts: new HeldPosts(),
    backlogged: new Set(),
    serverless: new Serverless({
      ...parts.upstream,
      time,
      digest,
      pools,
      tokens,
      policies,
      tick: () => context.tick,
      answered: (message, host) => context.results.answered(message, host, context),
    }),
  };
  return context;
}

function closeAll(context: CoreContext, hubs: HubDirectory): void {
  const { serviceReload } = CLIENT_CLOSE_REASONS;
  // Clients that are not open yet come first: their hubs do not know all of them.
  for (const client of context.unsettled) client.close(serviceReload);
  for (const hub of hubs) hub.closeAll(serviceReload);
  for (const server of context.servers) server.stop();
}
