import type { GivenLabels, LabelsOf, MetricName, Registry, Sources } from '@trunkline/telemetry';
import { createRegistry, processSources } from '@trunkline/telemetry';
import type { BusStats } from '../bus/bus-stats.ts';
import { DROP_REASONS } from '../bus/bus-stats.ts';
import type { ClusterStats } from '../cluster/cluster-stats.ts';
import {
  CLAIM_OUTCOMES,
  GUEST_ENDS,
  QUESTION_OUTCOMES,
  RELAY_KINDS,
} from '../cluster/cluster-stats.ts';
import type { Core } from '../core.ts';
import { GAP_CAUSES } from '../ports/bus.ts';
import type { CloseReason } from '../sessions/close-reason.ts';
import { TRANSPORT_LABELS } from '../sessions/transport.ts';
import { CLIENT_CLOSE_REASONS, SERVER_CLOSE_REASONS } from '../sessions/close-reason.ts';
import type { LabelCounts } from '../sessions/counters.ts';
import { UNREADABLE_LABELS } from '../sessions/counters.ts';
import { OPERATION_IDS } from '../sessions/rest/operations.ts';
import type { CoreContext } from '../sessions/core-context.ts';
import type { HubDirectory } from '../sessions/hub-directory.ts';
import { BREAKER_STATES } from '../sessions/upstream/breaker.ts';
import { VERSION } from '../version.ts';

/** Every metric of the catalogue, read off the edge's plain counters when it is scraped. */
export function createEdgeRegistry(
  { context, hubs, draining }: Core,
  bus: BusStats,
  cluster: ClusterStats,
): Registry {
  const sources: Sources = {
    ...processSources(VERSION),
    ...connectionSources(context, hubs),
    ...trafficSources(context),
    ...failureSources(context),
    ...busSources(bus),
    ...clusterSources(cluster),
    ...upstreamSources(context),
    trunkline_draining: () => (draining.isOn ? 1 : 0),
  };
  return createRegistry(sources, GIVEN);
}

const labelsOf = (reasons: Readonly<Record<string, CloseReason>>): string[] =>
  Object.values(reasons).map(({ label }) => label);

const GIVEN: GivenLabels = {
  trunkline_client_closes_total: { reason: labelsOf(CLIENT_CLOSE_REASONS) },
  trunkline_server_closes_total: { reason: labelsOf(SERVER_CLOSE_REASONS) },
  trunkline_unreadable_messages_total: { type: UNREADABLE_LABELS },
  trunkline_rest_requests_total: { operation: OPERATION_IDS },
};

type Some<N extends MetricName> = Pick<Sources, N>;

function connectionSources(
  context: CoreContext,
  hubs: HubDirectory,
): Some<
  | 'trunkline_client_connections'
  | 'trunkline_server_connections'
  | 'trunkline_clients_waiting'
  | 'trunkline_client_opens_total'
  | 'trunkline_connect_duration_seconds'
  | 'trunkline_open_sockets'
  | 'trunkline_open_sockets_limit'
> {
  const { counters } = context;
  return {
    trunkline_client_connections: () =>
      [...hubs].flatMap((hub) =>
        TRANSPORT_LABELS.map(
          (transport) => [{ hub: hub.name, transport }, hub.connections[transport]] as const,
        ),
      ),
    trunkline_server_connections: () =>
      [...hubs].map((hub) => [{ hub: hub.name }, hub.servers.size] as const),
    trunkline_clients_waiting: () => [...hubs].reduce((sum, hub) => sum + hub.waiting.size, 0),
    trunkline_client_opens_total: () => series(counters.clientOpens, 'transport'),
    trunkline_connect_duration_seconds: () => counters.connectSeconds,
    trunkline_open_sockets: () => counters.openSockets,
    trunkline_open_sockets_limit: () => context.limits.openSockets,
  };
}

function trafficSources(
  context: CoreContext,
): Some<
  | 'trunkline_messages_total'
  | 'trunkline_message_bytes_total'
  | 'trunkline_relay_latency_seconds'
  | 'trunkline_fanout_recipients'
  | 'trunkline_fanout_duration_seconds'
  | 'trunkline_fanout_skipped_total'
  | 'trunkline_held_messages_total'
  | 'trunkline_outbound_queue_bytes'
  | 'trunkline_rest_requests_total'
> {
  const { counters } = context;
  return {
    trunkline_messages_total: () => [
      [{ direction: 'from_client' }, counters.messagesFromClients],
      [{ direction: 'to_server' }, counters.messagesToServers],
      [{ direction: 'from_server' }, counters.messagesFromServers],
      [{ direction: 'to_client' }, counters.messagesToClients],
    ],
    trunkline_message_bytes_total: () => [
      [{ direction: 'from_client' }, counters.bytesFromClients],
      [{ direction: 'to_server' }, counters.bytesToServers],
      [{ direction: 'from_server' }, counters.bytesFromServers],
      [{ direction: 'to_client' }, counters.bytesToClients],
    ],
    trunkline_relay_latency_seconds: () => [
      [{ hop: 'client_to_server' }, counters.clientToServerSeconds],
      [{ hop: 'server_to_client' }, counters.serverToClientSeconds],
    ],
    trunkline_fanout_recipients: () => counters.fanoutRecipients,
    trunkline_fanout_duration_seconds: () => counters.fanoutSeconds,
    trunkline_fanout_skipped_total: () => [
      [{ reason: 'not_ready' }, counters.skippedNotReady],
      [{ reason: 'no_payload' }, counters.skippedNoPayload],
    ],
    trunkline_held_messages_total: () => counters.heldMessages,
    trunkline_outbound_queue_bytes: () => [
      [{ side: 'client' }, sumOfQueues(context.backlogged)],
      [{ side: 'server' }, sumOfQueues(context.servers)],
    ],
    trunkline_rest_requests_total: () => series(counters.restRequests, 'operation', 'status'),
  };
}

function failureSources(
  context: CoreContext,
): Some<
  | 'trunkline_client_closes_total'
  | 'trunkline_server_closes_total'
  | 'trunkline_negotiates_total'
  | 'trunkline_refusals_total'
  | 'trunkline_stray_messages_total'
  | 'trunkline_pool_refusals_total'
  | 'trunkline_pool_used'
  | 'trunkline_pool_limit'
  | 'trunkline_migrations_total'
  | 'trunkline_failed_calls_total'
  | 'trunkline_token_rejections_total'
  | 'trunkline_slow_clients_total'
  | 'trunkline_protocol_errors_total'
  | 'trunkline_unreadable_messages_total'
> {
  const { counters } = context;
  return {
    trunkline_client_closes_total: () => series(counters.clientCloses, 'reason'),
    trunkline_server_closes_total: () => series(counters.serverCloses, 'reason'),
    trunkline_migrations_total: () => series(counters.migrations, 'outcome'),
    trunkline_failed_calls_total: () => counters.failedCalls,
    trunkline_refusals_total: () => series(counters.refusals, 'reason'),
    trunkline_stray_messages_total: () => counters.strays,
    trunkline_pool_refusals_total: () => series(context.pools.refusals, 'pool', 'kind'),
    trunkline_pool_used: () =>
      [...context.pools.usage()].map(([pool, used]) => [{ pool }, used] as const),
    trunkline_pool_limit: () =>
      [...context.pools.usage()].map(([pool, , total]) => [{ pool }, total] as const),
    trunkline_negotiates_total: () => series(counters.negotiates, 'result'),
    trunkline_token_rejections_total: () => series(counters.tokenRejections, 'use', 'reason'),
    trunkline_slow_clients_total: () => counters.slowClients,
    trunkline_protocol_errors_total: () => series(counters.protocolErrors, 'side', 'code'),
    trunkline_unreadable_messages_total: () => series(counters.unreadableMessages, 'type'),
  };
}

function busSources(
  bus: BusStats,
): Some<
  | 'trunkline_bus_up'
  | 'trunkline_bus_messages_total'
  | 'trunkline_bus_bytes_total'
  | 'trunkline_bus_batches_total'
  | 'trunkline_bus_queue_bytes'
  | 'trunkline_bus_dropped_total'
  | 'trunkline_bus_gaps_total'
  | 'trunkline_bus_reconnects_total'
  | 'trunkline_bus_subscriptions'
> {
  const { published, received } = bus;
  const both = (key: keyof typeof published) =>
    [
      [{ direction: 'published' }, published[key]],
      [{ direction: 'received' }, received[key]],
    ] as const;
  return {
    trunkline_bus_up: () => (bus.isUp ? 1 : 0),
    trunkline_bus_messages_total: () => both('messages'),
    trunkline_bus_bytes_total: () => both('bytes'),
    trunkline_bus_batches_total: () => both('batches'),
    trunkline_bus_queue_bytes: () => bus.queueBytes,
    trunkline_bus_dropped_total: () =>
      DROP_REASONS.map((reason) => [{ reason }, bus.dropped[reason]] as const),
    trunkline_bus_gaps_total: () =>
      GAP_CAUSES.map((cause) => [{ cause }, bus.gaps[cause]] as const),
    trunkline_bus_reconnects_total: () => bus.reconnects,
    trunkline_bus_subscriptions: () => bus.subscriptions,
  };
}

function clusterSources(
  cluster: ClusterStats,
): Some<
  | 'trunkline_cluster_members'
  | 'trunkline_cluster_lost_total'
  | 'trunkline_cluster_questions_total'
  | 'trunkline_cluster_claims_total'
  | 'trunkline_cluster_relays_total'
  | 'trunkline_cluster_relays'
  | 'trunkline_cluster_remote_clients'
  | 'trunkline_cluster_guests'
  | 'trunkline_cluster_guest_ends_total'
> {
  const { questions, claims, openRelays, guestEnds } = cluster;
  return {
    trunkline_cluster_members: () => cluster.members,
    trunkline_cluster_lost_total: () => cluster.lost,
    trunkline_cluster_questions_total: () =>
      QUESTION_OUTCOMES.map((outcome) => [{ outcome }, questions[outcome]] as const),
    trunkline_cluster_claims_total: () =>
      CLAIM_OUTCOMES.map((outcome) => [{ outcome }, claims[outcome]] as const),
    trunkline_cluster_relays_total: () => series(cluster.relays, 'kind', 'outcome'),
    trunkline_cluster_relays: () =>
      RELAY_KINDS.map((kind) => [{ kind }, openRelays[kind]] as const),
    trunkline_cluster_remote_clients: () => cluster.remoteClients,
    trunkline_cluster_guests: () => cluster.guests,
    trunkline_cluster_guest_ends_total: () =>
      GUEST_ENDS.map((reason) => [{ reason }, guestEnds[reason]] as const),
  };
}

function upstreamSources({
  serverless,
}: CoreContext): Some<
  | 'trunkline_upstream_calls_total'
  | 'trunkline_upstream_call_duration_seconds'
  | 'trunkline_upstream_calls'
  | 'trunkline_upstream_retries_total'
  | 'trunkline_upstream_breakers'
> {
  const { calls } = serverless;
  return {
    trunkline_upstream_calls_total: () =>
      [...serverless.counts].flatMap(([hub, counts]) =>
        series<'trunkline_upstream_calls_total'>(counts, 'category', 'outcome').map(
          ([labels, value]) => [{ ...labels, hub }, value] as const,
        ),
      ),
    trunkline_upstream_call_duration_seconds: () => calls.seconds,
    trunkline_upstream_calls: () => [
      [{ state: 'in_flight' }, calls.inFlight],
      [{ state: 'waiting' }, calls.waiting],
    ],
    trunkline_upstream_retries_total: () => serverless.retries,
    trunkline_upstream_breakers: () => {
      const breakers = calls.breakers();
      return BREAKER_STATES.map((state) => [{ state }, breakers[state]] as const);
    },
  };
}

/** Counts kept by label values joined with `|`, as series with named labels. */
function series<N extends MetricName>(
  counts: LabelCounts,
  ...names: (string & keyof LabelsOf<N>)[]
): (readonly [LabelsOf<N>, number])[] {
  return [...counts.entries()].map(([key, value]) => {
    const values = key.split('|');
    const labels = Object.fromEntries(names.map((name, index) => [name, values[index]]));
    return [labels as LabelsOf<N>, value] as const;
  });
}

function sumOfQueues(sessions: Iterable<{ queuedBytes(): number }>): number {
  let sum = 0;
  for (const session of sessions) sum += session.queuedBytes();
  return sum;
}
