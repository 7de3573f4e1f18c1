import type { Line } from '../endpoints/line.ts';
import type { HubHost } from '../hubs/hub-host.ts';
import type { HubCounts } from './counts.ts';

/** A metric as prom-client's registry reads it. */
export interface ServerMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  get(): Promise<MetricReading>;
  /** For tests that reset a registry: the values are the server's, and stay. */
  reset(): void;
}

export interface MetricReading {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly aggregator: 'sum';
  readonly values: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What this package needs of prom-client's Registry, or of one like it. */
export interface MetricRegistry {
  registerMetric(metric: never): void;
}

type Labels = Readonly<Record<string, string>>;

interface Definition {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly read: (host: HubHost) => readonly MetricSample[];
}

const DEFINITIONS: readonly Definition[] = [
  perEndpoint('clients', 'gauge', 'Clients that this server serves.', ({ clients }) => clients),
  perEndpoint(
    'server_connections',
    'gauge',
    'Open server connections.',
    ({ pool }) => pool.connections().filter(({ open }) => open).length,
  ),
  perEndpoint(
    'server_connection_closes_total',
    'counter',
    'Server connections that were open and have ended.',
    ({ pool }) => pool.closes,
  ),
  perEndpoint(
    'outbound_bytes',
    'gauge',
    'Bytes for the service that it has not taken yet.',
    ({ pool }) => pool.connections().reduce((sum, { waiting }) => sum + waiting, 0),
  ),
  perHub('client_connects_total', 'Clients whose onConnected has succeeded.', 'connects'),
  perHub('client_disconnects_total', 'Of those, the ones that have gone.', 'disconnects'),
  perHub('calls_total', 'Calls of hub methods that were started.', 'calls'),
  perHub('call_failures_total', 'Of those, the ones that threw.', 'failures'),
  perHub('sends_total', 'Messages handed to the service for clients.', 'sends'),
  perHub(
    'unreadable_messages_total',
    'Messages of the service that could not be read, and were passed over.',
    'unreadable',
  ),
];

/** Registers the metrics of a server, whose values are read when they are collected. */
export function registerMetrics(registry: MetricRegistry, hosts: () => Iterable<HubHost>): void {
  // A registry asks no more of a metric than this; prom-client's type wants its own classes.
  const register = registry.registerMetric.bind(registry) as (metric: ServerMetric) => void;
  for (const { name, help, type, read } of DEFINITIONS) {
    const get = async () => {
      const values = [...hosts()].flatMap(read);
      return { name, help, type, aggregator: 'sum' as const, values };
    };
    register({ name, help, type, get, reset: () => {} });
  }
}

function perEndpoint(
  name: string,
  type: Definition['type'],
  help: string,
  value: (line: Line) => number,
): Definition {
  const read = ({ hub, endpoints }: HubHost) =>
    endpoints.lines.map((line) => sample({ hub, endpoint: line.name }, value(line)));
  return { name: `trunkline_sdk_${name}`, type, help, read };
}

function perHub(name: string, help: string, count: keyof HubCounts): Definition {
  const read = ({ hub, counts }: HubHost) => [sample({ hub }, counts[count])];
  return { name: `trunkline_sdk_${name}`, type: 'counter', help, read };
}

function sample(labels: Labels, value: number): MetricSample {
  return { labels, value };
}
