import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { EventReader } from './support/event-reader.ts';
import { HttpConnection } from './support/http-connection.ts';
import { HubClient, JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { PollClient, StreamClient } from './support/request-clients.ts';
import { RawSocket } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';

/** What client protocols reference, section 2.4, says of posts. */

const MOST_BYTES = 200_000;

const { edge, server } = await sharedEdge({ args: ['--max-message-bytes', `${MOST_BYTES}`] });

const call = (id: number, value: unknown): string =>
  `${JSON.stringify({ type: 1, target: 'echo', arguments: [value], invocationId: `${id}` })}\x1e`;

/** What the hub was sent of a client, its handshake request aside. */
function sentToHub({ negotiated }: HttpConnection): string {
  const payloads: Uint8Array[] = [];
  for (const message of server.received.all) {
    if (message.type !== MessageType.ConnectionData) continue;
    if (message.connectionId === negotiated.connectionId) payloads.push(message.payload);
  }
  return Buffer.concat(payloads).toString().slice(JSON_HANDSHAKE.length);
}

describe.each([
  ['polls', PollClient],
  ['reads a stream', StreamClient],
] as const)('posts of a client that %s', (_name, Client) => {
  it('are answered 200 and empty, whatever their type', async () => {
    await using client = await Client.connect(edge.url);
    const types = ['text/plain;charset=UTF-8', 'application/octet-stream', 'text/plain', 'x/y'];
    for (const [n, type] of types.entries()) {
      const response = await client.connection.post(call(n, n), {
        headers: { 'content-type': type },
      });
      expect([response.status, await response.text()]).toEqual([200, '']);
      expect(response.headers.get('content-length')).toBe('0');
      expect(response.headers.get('content-type')).toBe('text/plain');
      await client.received.first(({ invocationId }) => invocationId === `${n}`, 'the completion');
    }
  });

  it('are one stream of bytes: many messages to a post, and a message of many posts', async () => {
    await using client = await Client.connect(edge.url);
    const messages = Array.from({ length: 20 }, (_, n) => call(n, 'x'.repeat(n * 100)));
    const bytes = Buffer.from(messages.join(''));
    const cuts = [0, 1, 50, 51, 700, 5000, bytes.length];
    for (const [n, cut] of cuts.slice(1).entries()) {
      const { status } = await client.connection.post(
        Uint8Array.from(bytes.subarray(cuts[n], cut)),
      );
      expect(status).toBe(200);
    }
    await client.received.first(({ invocationId }) => invocationId === '19', 'the completion');
    expect(client.received.all.map(({ invocationId }) => Number(invocationId))).toEqual(
      messages.map((_, n) => n),
    );
    expect(sentToHub(client.connection)).toBe(messages.join(''));
  });

  it('may come chunked, and may be empty', async () => {
    await using client = await Client.connect(edge.url);
    const parts = [...call(100, 'x'.repeat(100_000)).matchAll(/[^]{1,9973}/g)].map(
      ([part]) => part,
    );
    const body = ReadableStream.from(parts.map((part) => Buffer.from(part)));
    const response = await client.connection.post(body as ReadableStream<Uint8Array>);
    expect(response.status).toBe(200);
    const completion = await client.received.first(({ type }) => type === 3, 'the completion');
    expect(completion.result).toHaveLength(100_000);
    expect((await client.connection.post('')).status).toBe(200);
    expect(await client.call('echo', 'on')).toBe('on');
  });

  it('that break the hub protocol are answered 200, and end the connection', async () => {
    await using client = await Client.connect(edge.url);
    expect((await client.connection.post('x'.repeat(MOST_BYTES + 1))).status).toBe(200);
    await client.closed;
    expect(client.received.all).toEqual([
      { type: 7, error: 'Connection closed with an error.', allowReconnect: true },
    ]);
    expect((await client.connection.post(call(1, 1))).status).toBe(404);
  });
});

describe('posts before the connection is made are kept for it', () => {
  const EARLY = [JSON_HANDSHAKE.slice(0, 7), JSON_HANDSHAKE.slice(7) + call(1, 'a'), call(2, 'b')];
  const ANSWERS = [1, 2].map((n) => `{"type":3,"invocationId":"${n}","result":"${' ab'[n]}"}\x1e`);

  async function posted(): Promise<HttpConnection> {
    const connection = await HttpConnection.negotiate(edge.url);
    for (const body of EARLY) expect((await connection.post(body)).status).toBe(200);
    return connection;
  }

  it('by polls', async () => {
    const connection = await posted();
    expect(await (await connection.poll()).text()).toBe('');
    let heard = '';
    while (!heard.includes(ANSWERS[1]!)) heard += await (await connection.poll()).text();
    expect(heard).toBe(`{}\x1e${ANSWERS.join('')}`);
    await connection.leave();
  });

  it('by server-sent events', async () => {
    const connection = await posted();
    const away = new AbortController();
    const { events } = new EventReader(await connection.stream({ signal: away.signal }));
    await events.first((data) => data.includes(ANSWERS[1]!), 'the second answer');
    expect(events.all.join('')).toBe(`{}\x1e${ANSWERS.join('')}`);
    away.abort();
  });
});

it('a post whose body comes while its connection ends is answered 404', async () => {
  const client = await PollClient.connect(edge.url);
  using socket = new RawSocket(edge.url);
  socket.request('POST', client.connection.path, {
    Authorization: `Bearer ${client.connection.negotiated.accessToken}`,
    'Content-Length': '2',
  });
  socket.write('x');
  await expect.poll(() => metric(edge, 'trunkline_pool_used', { pool: 'posts' })).toBe(1);
  await client.close();
  socket.write('x');
  const { status, headers } = await socket.answer();
  expect([status, headers.get('content-length')]).toEqual(['HTTP/1.1 404 Not Found', '0']);
});

it('a body of which the client gives up the rest reaches no hub', async () => {
  await using client = await PollClient.connect(edge.url);
  const socket = new RawSocket(edge.url);
  socket.request('POST', client.connection.path, {
    Authorization: `Bearer ${client.connection.negotiated.accessToken}`,
    'Content-Length': '1000',
  });
  socket.write(call(1, 'half'));
  await expect.poll(() => metric(edge, 'trunkline_pool_used', { pool: 'posts' })).toBe(1);
  socket[Symbol.dispose]();
  await expect.poll(() => metric(edge, 'trunkline_pool_used', { pool: 'posts' })).toBe(0);
  expect(await client.call('echo', 'whole')).toBe('whole');
  expect(sentToHub(client.connection)).not.toContain('half');
  await using other = await HubClient.connect(edge.url);
  expect(await other.call('echo', 1)).toBe(1);
});
