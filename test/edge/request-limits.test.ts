import { FakeAppServer, startEdge, type StartedEdge } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { HubClient } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { RawSocket } from './support/raw-socket.ts';
import { CLIENTS, PollClient, StreamClient, TRANSPORT_LABELS } from './support/request-clients.ts';
import { userToken } from './support/tokens.ts';

/** More than an edge may hold, or be asked to: refused in words, and room again afterwards. */

const refusals = (edge: StartedEdge, reason: string): Promise<number> =>
  metric(edge, 'trunkline_refusals_total', { reason });
const poolRefusals = (edge: StartedEdge, pool: string, kind: string): Promise<number> =>
  metric(edge, 'trunkline_pool_refusals_total', { pool, kind });
const inFlight = (edge: StartedEdge): Promise<number> =>
  metric(edge, 'trunkline_pool_used', { pool: 'posts' });

describe.concurrent('--max-connections', () => {
  it.each(TRANSPORT_LABELS)('counts clients by %s, and refuses more by 503', async (transport) => {
    await using edge = await startEdge({ args: ['--max-connections', '2'] });
    await using _server = await FakeAppServer.connect(edge.url);
    const sockets = await metric(edge, 'trunkline_open_sockets');
    const headers = { Authorization: `Bearer ${userToken('chat', undefined)}` };
    const url = `${edge.url}/client/negotiate?hub=chat&negotiateVersion=1`;
    const clients = [
      await CLIENTS[transport].connect(edge.url),
      await CLIENTS[transport].connect(edge.url),
    ];
    const negotiate = await fetch(url, { method: 'POST', headers });
    expect([negotiate.status, negotiate.headers.get('retry-after')]).toEqual([503, '1']);
    using socket = new RawSocket(edge.url);
    const connect = await socket.upgrade('/client/?hub=chat', headers);
    expect(connect.status).toBe('HTTP/1.1 503 Service Unavailable');
    expect(connect.headers.get('retry-after')).toBe('1');
    expect(await refusals(edge, 'connections')).toBe(2);
    await clients.pop()!.close();
    await expect
      .poll(() => metric(edge, 'trunkline_client_connections', { hub: 'chat', transport }))
      .toBe(1);
    // Who has negotiated has a place.
    const late = await HttpConnection.negotiate(edge.url);
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(503);
    expect((await late.poll()).status).toBe(200);
    expect((await late.leave()).status).toBe(202);
    clients.push(await CLIENTS[transport].connect(edge.url));
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(503);
    for (const client of clients) {
      expect(await client.call('echo', 'here')).toBe('here');
      await client.close();
    }
    await expect
      .poll(() => metric(edge, 'trunkline_open_sockets'), { timeout: 15_000 })
      .toBe(sockets);
  });
});

const PING = '{"type":6}\x1e';

/** The head of a post of so many bytes, and none of them. */
function slowPost(
  edge: StartedEdge,
  { path, negotiated }: Pick<HttpConnection, 'path' | 'negotiated'>,
  length: number,
): RawSocket {
  const socket = new RawSocket(edge.url);
  socket.request('POST', path, {
    Authorization: `Bearer ${negotiated.accessToken}`,
    'Content-Length': `${length}`,
  });
  return socket;
}

describe('--max-requests', () => {
  it('counts posts whose bodies are coming, and refuses more by 503', async () => {
    await using edge = await startEdge({ args: ['--max-requests', '3'] });
    await using _server = await FakeAppServer.connect(edge.url);
    await using client = await StreamClient.connect(edge.url);
    const slow = [1, 2, 3].map(() => slowPost(edge, client.connection, PING.length));
    await expect.poll(() => inFlight(edge)).toBe(3);
    const body = new Uint8Array(4 * 1024 * 1024);
    for (const [n, size] of [0, 1, body.length].entries()) {
      const response = await client.connection.post(body.subarray(0, size));
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await poolRefusals(edge, 'posts', 'total')).toBe(n + 1);
    }
    for (const socket of slow.splice(1)) socket.reset();
    await expect.poll(() => inFlight(edge)).toBe(1);
    expect(await client.call('echo', 'on')).toBe('on');
    slow[0]!.write(PING);
    expect((await slow[0]!.answer()).status).toBe('HTTP/1.1 200 OK');
    slow[0]!.reset();
    expect(await inFlight(edge)).toBe(0);
  });
});

describe('--max-batch-bytes', () => {
  const BYTES = 50_000;
  /** A post that has all but its last byte, by one of the two paths. */
  const half = (edge: StartedEdge, { path, negotiated }: HttpConnection, n: number): RawSocket => {
    const paths = [path, path.replace('/client/', '/client')] as const;
    const socket = slowPost(edge, { path: paths[n % 2]!, negotiated }, BYTES);
    socket.write('x'.repeat(BYTES - 1));
    return socket;
  };
  const args = ['--max-batch-bytes', `${BYTES}`, '--max-message-bytes', `${BYTES}`];
  const call = (length: number): string => {
    const empty = '{"type":1,"target":"echo","arguments":[""]}\x1e';
    return empty.replace('""', `"${'x'.repeat(length - empty.length)}"`);
  };

  it('refuses a longer post by 413, of a known length and in chunks', async () => {
    await using edge = await startEdge({ args });
    await using _server = await FakeAppServer.connect(edge.url);
    for (const Client of [StreamClient, PollClient]) {
      await using client = await Client.connect(edge.url);
      const chunked = (text: string): ReadableStream<Uint8Array> =>
        ReadableStream.from([Buffer.from(text)]) as ReadableStream<Uint8Array>;
      expect((await client.connection.post(call(BYTES))).status).toBe(200);
      expect((await client.connection.post(chunked(call(BYTES)))).status).toBe(200);
      const before = await refusals(edge, 'request_bytes');
      for (const [n, length] of [BYTES + 1, 2 * BYTES, 8_000_000].entries()) {
        for (const body of [call(length), chunked(call(length))]) {
          const response = await client.connection.post(body);
          expect([length, response.status]).toEqual([length, 413]);
          expect(await response.text()).toContain(`${BYTES} bytes`);
        }
        expect(await refusals(edge, 'request_bytes')).toBe(before + 2 * (n + 1));
      }
      expect(await client.call('echo', 'on')).toBe('on');
    }
    expect(await inFlight(edge)).toBe(0);
  });

  it('bounds what is held of the posts of one client, whichever path they take', async () => {
    await using edge = await startEdge({ args });
    await using _server = await FakeAppServer.connect(edge.url);
    await using greedy = await StreamClient.connect(edge.url, { userId: 'greedy' });
    await using other = await StreamClient.connect(edge.url, { userId: 'other' });
    const halves = Array.from({ length: 4 }, (_, n) => half(edge, greedy.connection, n));
    await expect.poll(() => inFlight(edge)).toBe(4);
    const refused = await greedy.connection.post(PING);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await poolRefusals(edge, 'posts', 'share')).toBe(1);
    expect(await other.call('echo', 'on')).toBe('on');
    for (const socket of halves) socket.reset();
    await expect.poll(() => inFlight(edge)).toBe(0);
    expect(await greedy.call('echo', 'on')).toBe('on');
  });

  it('has the largest pay when there are sixteen bodies of the longest', async () => {
    await using edge = await startEdge({ args });
    await using _server = await FakeAppServer.connect(edge.url);
    const halves: RawSocket[] = [];
    for (const userId of ['a', 'b', 'c', 'd']) {
      const { connection } = await StreamClient.connect(edge.url, { userId });
      for (let n = 0; n < 4; n++) halves.push(half(edge, connection, n));
    }
    const bytes = (): Promise<number> =>
      metric(edge, 'trunkline_pool_used', { pool: 'post_bytes' });
    await expect.poll(bytes).toBe(16 * (BYTES - 1));
    await using other = await StreamClient.connect(edge.url, { userId: 'other' });
    expect(await other.call('echo', 'x'.repeat(1000))).toBe('x'.repeat(1000));
    expect(await poolRefusals(edge, 'post_bytes', 'evicted')).toBe(1);
    expect(await bytes()).toBe(12 * (BYTES - 1));
    for (const socket of halves) socket.reset();
    await expect.poll(() => inFlight(edge)).toBe(0);
  });

  it('closes a WebSocket whose message is longer', async () => {
    await using edge = await startEdge({ args });
    await using _server = await FakeAppServer.connect(edge.url);
    const client = await HubClient.connect(edge.url);
    client.write(call(BYTES));
    expect(await client.call('echo', 'on')).toBe('on');
    client.write(call(BYTES + 1));
    await client.closed;
    expect(await metric(edge, 'trunkline_client_closes_total', { reason: 'BadRequest' })).toBe(1);
  });
});
