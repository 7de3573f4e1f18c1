import { METRICS } from '@trunkline/telemetry';
import { FakeAppServer, startEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HubClient } from './support/hub-client.ts';
import { checkMetrics, HAS_PROMTOOL, metric, scrape } from './support/metrics.ts';

let edge: Awaited<ReturnType<typeof startEdge>>;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.stop());

describe('the admin port', () => {
  it.each([
    ['/live', '{"status":"live"}'],
    ['/ready', '{"status":"ready"}'],
  ])('answers %s', async (path, body) => {
    const response = await fetch(edge.adminUrl + path);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(body);
  });

  it('knows neither clients nor app servers', async () => {
    for (const path of ['/client/', '/server/', '/api/health', '/nothing']) {
      expect((await fetch(edge.adminUrl + path)).status).toBe(404);
    }
  });
});

/** What was measured, or is a limit, is something from the start. */
const NEVER_ZERO: readonly string[] = [
  'trunkline_build_info',
  'trunkline_bus_up',
  'trunkline_cluster_members',
  'trunkline_event_loop_delay_seconds',
  'trunkline_open_sockets_limit',
  'trunkline_pool_limit',
];

/** The label values of a metric in every combination; none when one of its labels is open. */
function closedSeries(labels: Readonly<Record<string, unknown>>): Record<string, string>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(labels)) {
    const list = Array.isArray(values) ? (values as string[]) : [];
    combinations = combinations.flatMap((some) =>
      list.map((value) => ({ ...some, [name]: value })),
    );
  }
  return combinations;
}

describe('metrics', () => {
  it('has every series of a closed label set from the start, at 0', async () => {
    await using fresh = await startEdge();
    const metrics = await scrape(fresh);
    let checked = 0;
    for (const [name, { labels, type }] of Object.entries(METRICS)) {
      if (!name.startsWith('trunkline_') || NEVER_ZERO.includes(name)) continue;
      const suffix = type === 'histogram' ? '_count' : '';
      for (const series of closedSeries(labels)) {
        expect({ name, series, value: metrics.value(name + suffix, series) }).toEqual({
          name,
          series,
          value: 0,
        });
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(60);
    expect(metrics.value('trunkline_open_sockets_limit')).toBeGreaterThan(0);
    for (const reason of ['Normal', 'SlowClient', 'ServiceReload', 'NoAvailableServerConnection']) {
      expect(metrics.value('trunkline_client_closes_total', { reason })).toBe(0);
    }
    for (const reason of ['Normal', 'PingTimeout', 'SlowAppServer']) {
      expect(metrics.value('trunkline_server_closes_total', { reason })).toBe(0);
    }
  });

  it('counts connections, messages and closes', async () => {
    const hub = 'counted';
    await using _server = await FakeAppServer.connect(edge.url, { hub });
    const client = await HubClient.connect(edge.url, { hub });
    for (let i = 0; i < 10; i++) await client.call('echo', i);
    const metrics = await scrape(edge);
    const transport = 'webSockets';
    expect(metrics.value('trunkline_client_connections', { hub, transport })).toBe(1);
    expect(metrics.value('trunkline_server_connections', { hub })).toBe(1);
    expect(metrics.value('trunkline_messages_total', { direction: 'from_client' })).toBe(10);
    expect(metrics.value('trunkline_messages_total', { direction: 'to_client' })).toBe(10);
    expect(
      metrics.value('trunkline_relay_latency_seconds_count', { hop: 'client_to_server' }),
    ).toBe(10);
    expect(metrics.value('trunkline_connect_duration_seconds_count')).toBe(1);
    expect(metrics.value('trunkline_negotiates_total', { result: 'ok' })).toBe(1);
    await client.close();
    const closes = () => metric(edge, 'trunkline_client_closes_total', { reason: 'Normal' });
    await expect.poll(closes).toBe(1);
    expect(await metric(edge, 'trunkline_client_connections', { hub, transport })).toBe(0);
  });

  it.skipIf(!HAS_PROMTOOL)('pass promtool check metrics (needs promtool)', async () => {
    const { text } = await scrape(edge);
    expect(checkMetrics(text)).toEqual({ status: 0, output: '' });
  });
});
