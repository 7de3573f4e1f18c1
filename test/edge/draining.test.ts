import { MessageType } from '@trunkline/protocol';
import { deadline, FakeAppServer, startEdge, type StartedEdge } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { HubClient } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { negotiate } from './support/negotiate.ts';

const CLIENTS = 200;
/** Of them, those with a call in flight. */
const CALLERS = 5;
const CLEAN = { code: 0, signal: null };
const HUB_CLOSE = { type: 7, allowReconnect: true };
const SOON_MS = 10_000;
const FROM_CLIENTS = { direction: 'from_client' };

const connectMany = (edge: StartedEdge, count: number): Promise<HubClient[]> =>
  Promise.all(Array.from({ length: count }, () => HubClient.connect(edge.url)));

/** Ends the call of a client that an app server has been given and not answered. */
function complete(server: FakeAppServer, { connectionId }: HubClient): void {
  const payload = Buffer.from(`{"type":3,"invocationId":"0","result":"late"}\x1e`);
  server.write({ type: MessageType.ConnectionData, connectionId, payload });
}

const drain = (edge: StartedEdge, method: string, headers = {}): Promise<Response> =>
  fetch(`${edge.adminUrl}/admin/drain`, { method, headers });

async function progress(edge: StartedEdge): Promise<Record<string, unknown>> {
  return (await drain(edge, 'GET')).json() as Promise<Record<string, unknown>>;
}

describe('SIGTERM', () => {
  it('sends clients away to come back, when their calls are answered, then ends the edge', async () => {
    await using edge = await startEdge({ args: ['--drain-timeout', '60'] });
    await using server = await FakeAppServer.connect(edge.url, { answers: 'handshakes' });
    const clients = await connectMany(edge, CLIENTS);
    const callers = clients.slice(0, CALLERS);
    const calls = callers.map((client) => client.call('late'));
    // The handshake request of each client, and the calls.
    await expect
      .poll(() => server.received.all.filter(({ type }) => type === MessageType.ConnectionData))
      .toHaveLength(CLIENTS + CALLERS);

    edge.child.kill('SIGTERM');
    const others = Promise.all(clients.slice(CALLERS).map(({ closed }) => closed));
    for (const { code } of await deadline(others, SOON_MS, 'still there')) expect(code).toBe(1001);
    expect(await metric(edge, 'trunkline_draining')).toBe(1);
    const ready = await fetch(`${edge.adminUrl}/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'not ready', reason: 'it drains' },
    ]);
    expect((await fetch(`${edge.adminUrl}/live`)).status).toBe(200);
    await expect(negotiate(edge.url)).rejects.toThrow('503');
    expect(await progress(edge)).toMatchObject({ state: 'draining', clients: CALLERS });
    const events = server.received.all.filter(({ type }) => type === MessageType.ServiceEvent);
    expect(events).toHaveLength(1);

    for (const client of callers) complete(server, client);
    expect(await Promise.all(calls)).toEqual(callers.map(() => 'late'));
    expect(await deadline(edge.exited, SOON_MS, 'still there')).toEqual(CLEAN);
    for (const { received } of clients) expect(received.all.at(-1)).toEqual(HUB_CLOSE);
    expect((await server.closed).code).toBe(1001);
  });

  it('ends an edge without clients at once', async () => {
    await using edge = await startEdge({ args: ['--drain-timeout', '600'] });
    await using _server = await FakeAppServer.connect(edge.url);
    edge.child.kill('SIGTERM');
    expect(await deadline(edge.exited, SOON_MS, 'still there')).toEqual(CLEAN);
  });

  it('is followed by a SIGINT of who does not want to wait', async () => {
    await using edge = await startEdge({ args: ['--drain-timeout', '600'] });
    await using _server = await FakeAppServer.connect(edge.url, { answers: 'handshakes' });
    const client = await HubClient.connect(edge.url);
    const call = client.call('late').catch(() => 'gone');
    await expect
      .poll(() => metric(edge, 'trunkline_messages_total', FROM_CLIENTS))
      .toBeGreaterThan(0);
    edge.child.kill('SIGTERM');
    await expect.poll(() => edge.output()).toContain('"edge drains"');
    edge.child.kill('SIGINT');
    expect(await deadline(edge.exited, SOON_MS, 'still there')).toEqual(CLEAN);
    expect(client.received.all).toEqual([HUB_CLOSE]);
    expect(await call).toBe('gone');
  });
});

describe('/admin/drain', () => {
  it('begins, says how far it is, and ends', async () => {
    await using edge = await startEdge({ args: ['--drain-timeout', '60'] });
    await using _server = await FakeAppServer.connect(edge.url);
    const client = await HubClient.connect(edge.url);
    expect(await progress(edge)).toEqual({ state: 'off', clients: 1 });
    const begun = await drain(edge, 'POST');
    expect(begun.status).toBe(202);
    await client.closed;
    const { state, since, until } = await progress(edge);
    expect(state).toBe('drained');
    expect(Date.parse(String(until)) - Date.parse(String(since))).toBe(60_000);
    const again = await drain(edge, 'POST');
    expect([again.status, await again.json()]).toMatchObject([202, { since, until }]);
    expect((await drain(edge, 'DELETE')).status).toBe(200);
    expect((await fetch(`${edge.adminUrl}/ready`)).status).toBe(200);
    await (await HubClient.connect(edge.url)).close();
  });

  it('answers no event stream by what the EventSource of Node would repeat', async () => {
    await using edge = await startEdge({ args: ['--drain-timeout', '600'] });
    await using _server = await FakeAppServer.connect(edge.url, { answers: 'handshakes' });
    const early = await HttpConnection.negotiate(edge.url);
    // It keeps the drain from its end.
    const client = await HubClient.connect(edge.url);
    void client.call('late').catch(() => {});
    await expect
      .poll(() => metric(edge, 'trunkline_messages_total', FROM_CLIENTS))
      .toBeGreaterThan(0);
    await drain(edge, 'POST');
    const poll = await early.poll();
    expect([poll.status, poll.headers.get('retry-after')]).toEqual([503, '1']);
    const stream = await early.stream();
    expect([stream.status, stream.headers.get('retry-after')]).toEqual([404, '1']);
    expect(await metric(edge, 'trunkline_refusals_total', { reason: 'draining' })).toBe(2);
  });

  it('is not for pages of a browser, which reach what its user reaches', async () => {
    await using edge = await startEdge();
    for (const method of ['POST', 'DELETE']) {
      const { status } = await drain(edge, method, { origin: 'https://elsewhere.example' });
      expect(status).toBe(403);
    }
    expect(await progress(edge)).toEqual({ state: 'off', clients: 0 });
  });
});
