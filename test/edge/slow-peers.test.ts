import { MessageType } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import { HubClient, JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { rawClient } from './support/raw-client.ts';
import { sharedEdge } from './support/shared-edge.ts';

/** What the kernel may hold of a loopback connection is well below this many times 64 KB. */
const MOST_MESSAGES = 1_000;
const PIECE = 'x'.repeat(64 * 1024);

const { edge, server } = await sharedEdge();

const said = (n: number): Buffer =>
  Buffer.from(`${JSON.stringify({ type: 1, target: 'said', arguments: [n, PIECE] })}\x1e`);

describe('a client that stops reading', () => {
  it('is closed as slow, while another goes on receiving everything', async () => {
    const { socket, connectionId } = await rawClient(edge);
    using _socket = socket;
    await using other = await HubClient.connect(edge.url);
    const slow = (): Promise<number> => metric(edge, 'trunkline_slow_clients_total');
    socket.pause();
    let sent = 0;
    while (sent < MOST_MESSAGES && (await slow()) === 0) {
      const payloads = new Map([['json', said(sent)]]);
      server.write({ type: MessageType.BroadcastData, excludedConnectionIds: [], payloads });
      const n = sent++;
      await other.received.first((message) => message.arguments?.[0] === n, `message ${n}`);
    }
    expect(await slow()).toBe(1);
    expect(await metric(edge, 'trunkline_client_closes_total', { reason: 'SlowClient' })).toBe(1);
    await server.received.first(
      (message) =>
        message.type === MessageType.CloseConnection && message.connectionId === connectionId,
      'the close',
    );
    expect(other.received.all.map((message) => message.arguments?.[0])).toEqual(
      Array.from({ length: sent }, (_, n) => n),
    );
    expect(await metric(edge, 'trunkline_outbound_queue_bytes', { side: 'client' })).toBe(0);
    // What it had not read is lost to it: its connection has been cut.
    socket.resume();
    await socket.ended;
    expect(await other.call('echo', 'here')).toBe('here');
  });
});

describe('an app server that stops reading', () => {
  it('is full before it is out of memory, and no other hub waits for it', async () => {
    const hub = 'stuck';
    const stuck = await FakeAppServer.connect(edge.url, { hub });
    const writers = await Promise.all(
      Array.from({ length: 8 }, () => HubClient.connect(edge.url, { hub })),
    );
    await using other = await HubClient.connect(edge.url);
    stuck.pause();
    const closes = (): Promise<number> =>
      metric(edge, 'trunkline_client_closes_total', { reason: 'SlowAppServer' });
    for (let i = 0; i < MOST_MESSAGES && (await closes()) < writers.length; i++) {
      for (const writer of writers) writer.send('said', i, PIECE);
      expect(await other.call('echo', i)).toBe(i);
    }
    expect(await closes()).toBe(writers.length);
    for (const writer of writers) {
      await writer.closed;
      expect(writer.received.all).toEqual([
        {
          type: 7,
          error: 'The app server does not take messages fast enough.',
          allowReconnect: true,
        },
      ]);
    }
    // A new client is not given to it, and is served as soon as it reads on.
    const late = await HubClient.open(edge.url, { hub });
    late.write(JSON_HANDSHAKE);
    await expect.poll(() => metric(edge, 'trunkline_clients_waiting')).toBe(1);
    stuck.resume();
    expect(await late.handshake()).toEqual({});
    expect(await late.call('echo', 'again')).toBe('again');
    await late.close();
    await stuck.close();
  });
});
