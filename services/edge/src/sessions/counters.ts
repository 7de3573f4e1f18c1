import { MESSAGE_NAMES } from '@trunkline/protocol';
import type { LabelsOf } from '@trunkline/telemetry';
import { Histogram, METRICS } from '@trunkline/telemetry';
import { TRANSPORT_LABELS } from './transport.ts';
import { OPERATION_IDS } from './rest/operations.ts';
import { CLIENT_CLOSE_REASONS, SERVER_CLOSE_REASONS } from './close-reason.ts';
import type { CloseReason } from './close-reason.ts';

/** Counts by a closed set of labels, all there at 0 from the start. */
export class LabelCounts {
  readonly #counts: Map<string, number>;

  constructor(labels: Iterable<string>) {
    this.#counts = new Map([...labels].map((label) => [label, 0]));
  }

  add(label: string, times = 1): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + times);
  }

  entries(): Iterable<[string, number]> {
    return this.#counts;
  }
}

/** How moving a client to another app server can end. */
export type MigrationOutcome = LabelsOf<'trunkline_migrations_total'>['outcome'];

/** What messages that cannot be read are counted by: `UnreadableMessage.typeName`. */
export const UNREADABLE_LABELS = [...MESSAGE_NAMES.values(), 'unknown'];

const STATUSES = METRICS.trunkline_rest_requests_total.labels.status;

const labels = (reasons: Record<string, CloseReason>): string[] =>
  Object.values(reasons).map((reason) => reason.label);

/**
 * Plain numbers that the message path adds to and the metrics page reads: nothing on the way of a
 * message allocates or looks anything up for the sake of a metric.
 */
export class Counters {
  messagesFromClients = 0;
  messagesToClients = 0;
  messagesFromServers = 0;
  messagesToServers = 0;
  bytesFromClients = 0;
  bytesToClients = 0;
  bytesFromServers = 0;
  bytesToServers = 0;
  /** Sockets of the public port, whatever they are used for. */
  openSockets = 0;
  slowClients = 0;
  heldMessages = 0;
  skippedNotReady = 0;
  skippedNoPayload = 0;
  /** Messages of clients that no client sends, and that go no further. */
  strays = 0;
  /** Frames for connections that are gone: normal after every close. */
  unknownConnections = 0;

  readonly clientOpens = new LabelCounts(TRANSPORT_LABELS);
  readonly clientCloses = new LabelCounts(labels(CLIENT_CLOSE_REASONS));
  readonly serverCloses = new LabelCounts(labels(SERVER_CLOSE_REASONS));
  readonly migrations = new LabelCounts(METRICS.trunkline_migrations_total.labels.outcome);
  /** Calls that died with their server, and were answered in its place. */
  failedCalls = 0;
  /** What the edge was short of, or asked too much of. */
  readonly refusals = new LabelCounts(METRICS.trunkline_refusals_total.labels.reason);
  readonly negotiates = new LabelCounts([]);
  /** Keyed `use|reason`. */
  readonly tokenRejections = new LabelCounts([]);
  /** Keyed `operation|status`. */
  readonly restRequests = new LabelCounts(
    OPERATION_IDS.flatMap((id) => STATUSES.map((status) => `${id}|${status}`)),
  );
  /** Messages of app servers in good frames, by type. */
  readonly unreadableMessages = new LabelCounts(UNREADABLE_LABELS);
  /** Keyed `side|code`. */
  readonly protocolErrors = new LabelCounts([]);

  readonly connectSeconds = new Histogram('trunkline_connect_duration_seconds');
  readonly clientToServerSeconds = new Histogram('trunkline_relay_latency_seconds');
  readonly serverToClientSeconds = new Histogram('trunkline_relay_latency_seconds');
  readonly fanoutRecipients = new Histogram('trunkline_fanout_recipients');
  readonly fanoutSeconds = new Histogram('trunkline_fanout_duration_seconds');
}
