import type { StartedEdge } from '@trunkline/testing';

import { type Metrics, scrape } from '../edge/support/metrics.ts';

/** What an edge holds, of all hubs. */
export interface Census {
  readonly clients: number;
  readonly waiting: number;
  readonly servers: number;
  /** Bytes that wait for sockets. */
  readonly queued: number;
  /** Open files, the connection of the scrape included. */
  readonly descriptors: number;
}

export async function census(edge: StartedEdge): Promise<Census> {
  const metrics = await scrape(edge);
  return {
    clients: total(metrics, 'trunkline_client_connections'),
    waiting: total(metrics, 'trunkline_clients_waiting'),
    servers: total(metrics, 'trunkline_server_connections'),
    queued: total(metrics, 'trunkline_outbound_queue_bytes'),
    descriptors: total(metrics, 'process_open_fds'),
  };
}

/** How many connections an edge has closed, by those reasons for which there are any. */
export interface Closes {
  readonly clients: Readonly<Record<string, number>>;
  readonly servers: Readonly<Record<string, number>>;
}

export async function closes(edge: StartedEdge): Promise<Closes> {
  const metrics = await scrape(edge);
  return {
    clients: byReason(metrics, 'trunkline_client_closes_total'),
    servers: byReason(metrics, 'trunkline_server_closes_total'),
  };
}

/** All series of a metric: what stands between the braces, and the value. */
function seriesOf({ text }: Metrics, name: string): [labels: string, value: number][] {
  const lines = text.matchAll(new RegExp(String.raw`^${name}(?:\{(.*)\})? (\S+)$`, 'gm'));
  return [...lines].map(([, labels = '', value]) => [labels, Number(value)]);
}

function total(metrics: Metrics, name: string): number {
  return seriesOf(metrics, name).reduce((sum, [, value]) => sum + value, 0);
}

function byReason(metrics: Metrics, name: string): Record<string, number> {
  const series = seriesOf(metrics, name).filter(([, value]) => value > 0);
  return Object.fromEntries(series.map(([labels, value]) => [labels.split('"')[1]!, value]));
}
