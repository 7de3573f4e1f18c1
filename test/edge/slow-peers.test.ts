import { MessageType } from '@trunkline/protocol';
import { FakeAppServer, startEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HubClient, JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { frame, Opcode, RawSocket } from './support/raw-socket.ts';
import { userToken } from './support/tokens.ts';

/** What the kernel may hold of a loopback connection is well below this many times 64 KB. */
const MOST_MESSAGES = 1_000;
const PIECE = 'x'.repeat(64 * 1024);

let edge: Awaited<ReturnType<typeof startEdge>>;
let server: FakeAppServer;

beforeAll(async () => {
  edge = await startEdge();
  server = await FakeAppServer.connect(edge.url);
});
afterAll(async () => {
  await server.close();
  await edge.stop();
});

/** A client on a bare socket, and its connection id. */
async function rawClient(hub = 'chat'): Promise<{ socket: RawSocket; connectionId: string }> {
  const authorization = `Bearer ${userToken(hub, 'raw')}`;
  const url = `${edge.url}/client/negotiate?hub=${hub}&negotiateVersion=1`;
  const response = await fetch(url, { method: 'POST', headers: { authorization } });
  const answer = (await response.json()) as { connectionId: string; connectionToken: string };
  const socket = new RawSocket(edge.url);
  const path = `/client/?hub=${hub}&id=${answer.connectionToken}`;
  await socket.upgrade(path, { Authorization: authorization });
  socket.write(frame(Opcode.Text, JSON_HANDSHAKE));
  await socket.frames.first(() => true, 'the handshake response');
  return { socket, connectionId: answer.connectionId };
}

const said = (n: number): Buffer =>
  Buffer.from(`${JSON.stringify({ type: 1, target: 'said', arguments: [n, PIECE] })}\x1e`);

describe('a client that stops reading', () => {
  it('is closed as slow, while another goes on receiving everything', async () => {
    const { socket, connectionId } = await rawClient();
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

describe('a peer that has vanished', () => {
  const descriptors = (): Promise<number> => metric(edge, 'process_open_fds');
  const end = (connectionId: string): void =>
    server.write({
      type: MessageType.CloseConnection,
      connectionId,
      errorMessage: '',
      headers: new Map(),
    });

  it('costs no descriptor once the edge has closed its connection', async () => {
    await expect
      .poll(() =>
        metric(edge, 'trunkline_client_connections', { hub: 'chat', transport: 'webSockets' }),
      )
      .toBe(0);
    const before = await descriptors();
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient()));
    await expect.poll(descriptors).toBeGreaterThanOrEqual(before + clients.length);
    for (const { connectionId } of clients) end(connectionId);
    await Promise.all(
      clients.map(({ socket }) =>
        socket.frames.first((one) => one.opcode === Opcode.Close, 'the close frame'),
      ),
    );
    // They never answer, and never end their half.
    await expect.poll(descriptors, { timeout: 15_000 }).toBeLessThanOrEqual(before);
    for (const { socket } of clients) socket[Symbol.dispose]();
  }, 30_000);

  it('costs none with messages waiting for it either', async () => {
    const before = await descriptors();
    const { socket, connectionId } = await rawClient();
    socket.pause();
    const queued = (): Promise<number> =>
      metric(edge, 'trunkline_outbound_queue_bytes', { side: 'client' });
    for (let n = 0; n < MOST_MESSAGES && (await queued()) === 0; n++) {
      server.data(connectionId, said(n));
    }
    expect(await queued()).toBeGreaterThan(0);
    expect(await descriptors()).toBeGreaterThan(before);
    end(connectionId);
    await expect.poll(descriptors, { timeout: 15_000 }).toBeLessThanOrEqual(before);
    socket[Symbol.dispose]();
  }, 30_000);
});
