import { MessageType } from '@trunkline/protocol';
import { FakeAppServer, startEdge, type StartedEdge } from '@trunkline/testing';
import { describe, expect, it, vi } from 'vitest';

import { expectAlive } from './support/alive.ts';
import { HttpConnection } from './support/http-connection.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { rawClient } from './support/raw-client.ts';
import { Opcode, RawSocket } from './support/raw-socket.ts';

/** What the kernel may hold of a loopback connection is well below this many times 64 KB. */
const MOST_MESSAGES = 1_000;
const PIECE = Buffer.from(`{"type":1,"target":"t","arguments":["${'x'.repeat(64 * 1024)}"]}\x1e`);
/** The listener gives a request, and the answer to a close, ten seconds or less. */
const GIVEN_UP = { timeout: 20_000, interval: 100 };

/** A peer that answers nothing and never ends its half costs the edge no descriptor for long. */
describe.concurrent('a peer that has vanished', () => {
  const end = (server: FakeAppServer, connectionId: string): void =>
    server.write({
      type: MessageType.CloseConnection,
      connectionId,
      errorMessage: '',
      headers: new Map(),
    });

  /** Resolves when the edge holds no more than `most` descriptors. */
  const descriptorsBack = (edge: StartedEdge, most: number): Promise<void> =>
    vi.waitFor(async () => {
      expect(await metric(edge, 'process_open_fds')).toBeLessThanOrEqual(most);
    }, GIVEN_UP);

  it('in the middle of its request is given up', async () => {
    await using edge = await startEdge();
    await using _server = await FakeAppServer.connect(edge.url);
    const before = await metric(edge, 'process_open_fds');
    const halves = ['', 'P', 'POST /client/nego', 'GET /client/?hub=chat HTTP/1.1\r\nHost: e'];
    const sockets = halves.map((half) => {
      const socket = new RawSocket(edge.url);
      socket.write(half);
      return socket;
    });
    await vi.waitFor(async () => {
      expect(await metric(edge, 'process_open_fds')).toBe(before + sockets.length);
    });
    await Promise.all(sockets.map((socket) => socket.ended));
    await descriptorsBack(edge, before);
    for (const socket of sockets) socket[Symbol.dispose]();
    await expectAlive(edge);
  }, 40_000);

  it('is given up once the edge has closed its connection', async () => {
    await using edge = await startEdge();
    await using server = await FakeAppServer.connect(edge.url);
    const before = await metric(edge, 'process_open_fds');
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(edge)));
    expect(await metric(edge, 'process_open_fds')).toBeGreaterThanOrEqual(before + clients.length);
    for (const { socket, connectionId } of clients) {
      end(server, connectionId);
      await socket.frames.first(({ opcode }) => opcode === Opcode.Close, 'the close frame');
    }
    await descriptorsBack(edge, before);
    for (const { socket } of clients) socket[Symbol.dispose]();
  }, 40_000);

  /** A paused socket, its request for an event stream or a poll on its way. */
  function ask({ path, negotiated }: HttpConnection, edge: StartedEdge, accept: string): RawSocket {
    const socket = new RawSocket(edge.url);
    const headers = { Authorization: `Bearer ${negotiated.accessToken}`, Accept: accept };
    socket.request('GET', path, headers);
    socket.pause();
    return socket;
  }

  it('is given up with events waiting for it, however few', async () => {
    await using edge = await startEdge();
    await using server = await FakeAppServer.connect(edge.url);
    const before = await metric(edge, 'process_open_fds');
    const connection = await HttpConnection.negotiate(edge.url);
    const { connectionId } = connection.negotiated;
    using _socket = ask(connection, edge, 'text/event-stream');
    await expect.poll(async () => (await connection.post(JSON_HANDSHAKE)).status).toBe(200);
    await server.opened(connectionId);
    const queued = (): Promise<number> =>
      metric(edge, 'trunkline_outbound_queue_bytes', { side: 'client' });
    for (let n = 0; n < MOST_MESSAGES && (await queued()) === 0; n++) {
      server.data(connectionId, PIECE);
    }
    expect(await queued()).toBeGreaterThan(0);
    await descriptorsBack(edge, before);
    expect(await queued()).toBe(0);
    expect(await metric(edge, 'trunkline_slow_clients_total')).toBe(0);
    expect((await connection.post('x')).status).toBe(404);
  }, 40_000);

  it('is given up with the answer to its poll waiting for it', async () => {
    await using edge = await startEdge();
    await using server = await FakeAppServer.connect(edge.url);
    const before = await metric(edge, 'trunkline_open_sockets');
    const connection = await HttpConnection.negotiate(edge.url);
    await connection.openPolling(JSON_HANDSHAKE);
    using _socket = ask(connection, edge, '*/*');
    // More than the kernel holds.
    const value = 'x'.repeat(32 * 1024 * 1024);
    const message = `{"type":1,"target":"t","arguments":["${value}"]}\x1e`;
    server.data(connection.negotiated.connectionId, Buffer.from(message));
    await vi.waitFor(async () => {
      expect(await metric(edge, 'trunkline_open_sockets')).toBe(before);
    }, GIVEN_UP);
    expect(await (await connection.poll()).text()).toBe('{"type":7,"allowReconnect":true}\x1e');
  }, 40_000);

  it('is given up with messages waiting for it', async () => {
    await using edge = await startEdge();
    await using server = await FakeAppServer.connect(edge.url);
    const before = await metric(edge, 'process_open_fds');
    const { socket, connectionId } = await rawClient(edge);
    socket.pause();
    const queued = (): Promise<number> =>
      metric(edge, 'trunkline_outbound_queue_bytes', { side: 'client' });
    for (let n = 0; n < MOST_MESSAGES && (await queued()) === 0; n++) {
      server.data(connectionId, PIECE);
    }
    expect(await queued()).toBeGreaterThan(0);
    expect(await metric(edge, 'process_open_fds')).toBeGreaterThan(before);
    end(server, connectionId);
    await descriptorsBack(edge, before);
    socket[Symbol.dispose]();
  }, 40_000);
});
