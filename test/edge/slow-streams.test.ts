import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { HubClient, JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { RawSocket } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';

/** Clients over HTTP that do not take what is sent to them. */

const QUEUE_BYTES = 1024 * 1024;
const PIECE = 'x'.repeat(64 * 1024);
/** What the kernel may hold of a loopback connection is well below this many of them. */
const MOST_MESSAGES = 1_000;

const { edge, server } = await sharedEdge({ args: ['--client-queue-bytes', `${QUEUE_BYTES}`] });

const said = (n: number): Buffer =>
  Buffer.from(`${JSON.stringify({ type: 1, target: 'said', arguments: [n, PIECE] })}\x1e`);

const queued = (): Promise<number> =>
  metric(edge, 'trunkline_outbound_queue_bytes', { side: 'client' });
const slowClients = (): Promise<number> => metric(edge, 'trunkline_slow_clients_total');

/** An open event stream on a bare socket. */
async function openStream(): Promise<{ socket: RawSocket; connection: HttpConnection }> {
  const connection = await HttpConnection.negotiate(edge.url);
  const socket = new RawSocket(edge.url);
  socket.request('GET', connection.path, {
    Authorization: `Bearer ${connection.negotiated.accessToken}`,
    Accept: 'text/event-stream',
  });
  await socket.answer();
  expect((await connection.post(JSON_HANDSHAKE)).status).toBe(200);
  await expect.poll(() => socket.text).toContain('{}\x1e');
  return { socket, connection };
}

/** What has come over it, chunks put together. */
const textOf = (socket: RawSocket): string => socket.text.replaceAll(/\r\n[\da-f]+\r\n/g, '');

const closed = (connectionId: string): Promise<unknown> =>
  server.received.first(
    (message) =>
      message.type === MessageType.CloseConnection && message.connectionId === connectionId,
    'the close',
  );

describe('an event stream', () => {
  it('of which the reader stops for a while loses nothing', async () => {
    const { socket, connection } = await openStream();
    using _socket = socket;
    const { connectionId } = connection.negotiated;
    socket.pause();
    let sent = 0;
    while (sent < MOST_MESSAGES && (await queued()) === 0) server.data(connectionId, said(sent++));
    expect(await queued()).toBeGreaterThan(0);
    socket.resume();
    const last = `"arguments":[${sent - 1},"${PIECE}"]}\x1e\r\n\r\n`;
    await expect.poll(() => textOf(socket).endsWith(last), { timeout: 5_000 }).toBe(true);
    const order = [...textOf(socket).matchAll(/"arguments":\[(\d+),/g)].map(([, n]) => Number(n));
    expect(order).toEqual(Array.from({ length: sent }, (_, n) => n));
    expect(await queued()).toBe(0);
    await connection.post('{"type":1,"target":"echo","arguments":["on"],"invocationId":"1"}\x1e');
    await expect.poll(() => socket.text.includes('"result":"on"')).toBe(true);
  });

  it('brings a message whole that no network has room for, with nothing behind it', async () => {
    const { socket, connection } = await openStream();
    using _socket = socket;
    await using other = await HubClient.connect(edge.url);
    socket.pause();
    const message = `{"type":1,"target":"said","arguments":["${'x'.repeat(16 * 1024 * 1024)}"]}\x1e`;
    server.data(connection.negotiated.connectionId, Buffer.from(message));
    // Comes the same way, and behind it.
    expect(await other.call('echo', 'here')).toBe('here');
    socket.resume();
    const event = `data: ${message}\r\n\r\n`;
    await expect.poll(() => textOf(socket).endsWith(event), { timeout: 10_000 }).toBe(true);
  });

  it('that is read more slowly than it is written is closed as slow', async () => {
    const { socket, connection } = await openStream();
    using _socket = socket;
    const before = await slowClients();
    let sent = 0;
    while (sent < MOST_MESSAGES && (await slowClients()) === before) {
      for (let n = 0; n < 4; n++) server.data(connection.negotiated.connectionId, said(sent++));
      await socket.readOnce();
    }
    await closed(connection.negotiated.connectionId);
    expect(await slowClients()).toBe(before + 1);
  });

  it('of which the reader stops is closed as slow, and others notice nothing', async () => {
    const { socket, connection } = await openStream();
    using _socket = socket;
    await using other = await HubClient.connect(edge.url);
    const before = await slowClients();
    socket.pause();
    let sent = 0;
    while (sent < MOST_MESSAGES && (await slowClients()) === before) {
      const payloads = new Map([['json', said(sent)]]);
      server.write({ type: MessageType.BroadcastData, excludedConnectionIds: [], payloads });
      const n = sent++;
      await other.received.first((message) => message.arguments?.[0] === n, `message ${n}`);
    }
    await closed(connection.negotiated.connectionId);
    expect(await slowClients()).toBe(before + 1);
    expect(await metric(edge, 'trunkline_client_closes_total', { reason: 'SlowClient' })).toBe(
      before + 1,
    );
    expect(await queued()).toBe(0);
    expect((await connection.post('x')).status).toBe(404);
    socket.resume();
    await socket.ended;
    expect(await other.call('echo', 'here')).toBe('here');
  });
});

it('a client that does not poll is closed when its queue is full, and others notice nothing', async () => {
  const connection = await HttpConnection.negotiate(edge.url);
  await connection.openPolling(JSON_HANDSHAKE);
  const { connectionId } = connection.negotiated;
  await using other = await HubClient.connect(edge.url);
  const before = await slowClients();
  let sent = 0;
  while (sent < MOST_MESSAGES && (await slowClients()) === before) {
    server.data(connectionId, said(sent++));
    expect(await other.call('echo', sent)).toBe(sent);
    expect(await queued()).toBeLessThanOrEqual(QUEUE_BYTES + 2 * PIECE.length);
  }
  await closed(connectionId);
  expect(sent).toBeGreaterThan(QUEUE_BYTES / PIECE.length);
  expect(await slowClients()).toBe(before + 1);
  expect(await queued()).toBe(0);
  expect((await connection.poll()).status).toBe(404);
});
