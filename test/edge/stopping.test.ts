import { fork } from 'node:child_process';
import { once } from 'node:events';

import { ConnectionType, MessageType } from '@trunkline/protocol';
import { deadline, FakeAppServer, startEdge } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import { HubClient, JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { RawSocket } from './support/raw-socket.ts';
import { PollClient, StreamClient } from './support/request-clients.ts';
import { EDGE_MAIN } from './support/run-edge.ts';
import { userToken } from './support/tokens.ts';

/** Well within the 10 s that a process may take. */
const SOON_MS = 5_000;
const CLEAN = { code: 0, signal: null };

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('ends an edge at rest', async () => {
    await using edge = await startEdge();
    edge.child.kill(signal);
    expect(await deadline(edge.exited, SOON_MS, 'still there')).toEqual(CLEAN);
  });

  it('says goodbye to clients and app servers, then ends', async () => {
    await using edge = await startEdge();
    const servers = await Promise.all([
      FakeAppServer.connect(edge.url),
      FakeAppServer.connect(edge.url),
      FakeAppServer.connect(edge.url, { connectionType: ConnectionType.Weak }),
    ]);
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => HubClient.connect(edge.url)),
    );
    const stream = await StreamClient.connect(edge.url);
    const poller = await PollClient.connect(edge.url);
    const silent = await HubClient.open(edge.url);
    const waiting = await HubClient.open(edge.url, { hub: 'nobody' });
    waiting.write(JSON_HANDSHAKE);
    await expect.poll(() => metric(edge, 'trunkline_clients_waiting')).toBe(1);

    edge.child.kill(signal);
    expect(await deadline(edge.exited, SOON_MS, 'still there')).toEqual(CLEAN);
    const stops = edge
      .output()
      .split('\n')
      .find((line) => line.includes('"edge stops"'));
    // 20 with WebSockets, two by requests, the silent one and the one that waits.
    expect(JSON.parse(stops!)).toMatchObject({ why: signal, clients: 24, serverConnections: 3 });
    for (const client of clients) {
      expect(client.received.all).toEqual([{ type: 7, allowReconnect: true }]);
      expect((await client.closed).code).toBe(1001);
    }
    for (const client of [stream, poller]) {
      expect(client.received.all).toEqual([{ type: 7, allowReconnect: true }]);
    }
    expect([await stream.closed, await poller.closed]).toEqual([200, 204]);
    for (const client of [silent, waiting]) {
      expect((await client.handshake()).error).toBeTypeOf('string');
      expect((await client.closed).code).toBe(1001);
    }
    for (const server of servers) expect((await server.closed).code).toBe(1001);
    // Each was told why.
    for (const { received } of servers) {
      const events = received.all.filter(({ type }) => type === MessageType.ServiceEvent);
      expect(events).toMatchObject([{ message: 'The edge is stopping.' }]);
    }
    // Each app server heard of every client that it lost, before its own connection ended.
    const ended = servers.flatMap((server) =>
      server.received.all.filter((message) => message.type === MessageType.CloseConnection),
    );
    expect(ended).toHaveLength(clients.length + 2);
  });
});

describe('an edge that is asked to stop', () => {
  it('takes a signal that comes again for the same one', async () => {
    await using edge = await startEdge();
    await using _server = await FakeAppServer.connect(edge.url);
    const client = await HubClient.connect(edge.url);
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM'] as const) edge.child.kill(signal);
    expect(await deadline(edge.exited, SOON_MS, 'still there')).toEqual(CLEAN);
    expect(client.received.all).toEqual([{ type: 7, allowReconnect: true }]);
  });

  it('ends even if nobody answers its goodbye', async () => {
    await using edge = await startEdge();
    await using server = await FakeAppServer.connect(edge.url, { answers: 'nothing' });
    using client = new RawSocket(edge.url);
    await client.upgrade('/client/?hub=chat', {
      Authorization: `Bearer ${userToken('chat', 'ann')}`,
    });
    client.pause();
    server.pause();
    edge.child.kill('SIGTERM');
    expect(await deadline(edge.exited, SOON_MS, 'still there')).toEqual(CLEAN);
  });

  it('takes no new connections while it says goodbye, and says that it is not ready', async () => {
    await using edge = await startEdge();
    await using _server = await FakeAppServer.connect(edge.url);
    const client = await HubClient.connect(edge.url);
    edge.child.kill('SIGTERM');
    await client.received.first(({ type }) => type === 7, 'the goodbye');
    using socket = new RawSocket(edge.url);
    const taken = socket.connected.then(() => 'taken');
    expect(await Promise.race([taken, socket.ended.then(() => 'refused')])).toBe('refused');
    // It still was there to refuse.
    expect((await fetch(`${edge.adminUrl}/ready`)).status).toBe(503);
    expect(await edge.exited).toEqual(CLEAN);
  });

  it('ends with the parent that holds its channel', async () => {
    const args = ['--dev', '--port', '0', '--admin-port', '0'];
    const edge = fork(EDGE_MAIN, args, { silent: true });
    const exited = once(edge, 'exit');
    await once(edge.stdout!, 'data');
    edge.disconnect();
    expect(await deadline(exited, SOON_MS, 'still there')).toEqual([0, null]);
  });

  it('has written its log to the end', async () => {
    await using edge = await startEdge();
    const server = await FakeAppServer.connect(edge.url);
    edge.child.kill('SIGTERM');
    await Promise.all([edge.exited, server.closed]);
    expect(edge.output()).toContain('"reason":"ServiceReload"');
  });
});
