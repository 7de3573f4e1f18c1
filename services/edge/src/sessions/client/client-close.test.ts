import { encodeClose, MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import { CLIENT_CLOSE_REASONS } from '../close-reason.ts';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import {
  JSON_HANDSHAKE,
  MESSAGEPACK_HANDSHAKE,
  payloads,
  readable,
  TestEdge,
  turn,
} from '../fixtures.test-support.ts';

const HUB_CLOSE = '{"type":7,"allowReconnect":true}␞';

async function connected(
  identity: Parameters<TestEdge['client']>[1] = {},
): Promise<{ edge: TestEdge; server: FakeServer; client: FakeClient }> {
  const edge = new TestEdge();
  const server = await edge.server();
  return { edge, server, client: await edge.client(server, identity) };
}

/** Nothing of a client may be left. */
function expectForgotten(edge: TestEdge, client: FakeClient): void {
  expect(edge.context.clients.get(client.id)).toBeUndefined();
  expect(edge.context.unsettled.size).toBe(0);
  expect(edge.hubs.get('chat')!.model.members).toEqual([]);
  expect([...edge.hubs.get('chat')!.servers].flatMap(({ clients }) => clients)).toEqual([]);
}

describe('a client that leaves', () => {
  test.each([
    [1000, '', 'Normal'],
    [1005, '', 'Normal'],
    [1001, 'going', 'Normal'],
    [1006, '', 'ConnectionLost'],
    [1006, 'Received too big message', 'BadRequest'],
    [1006, 'Received invalid utf8', 'BadRequest'],
  ])('with %i %s is counted as %s, and its server hears of it once', async (code, why, label) => {
    const { edge, server, client } = await connected();
    client.socket.leave(code, why);
    server.data(client, HUB_CLOSE);
    expect(await server.heard()).toEqual([['close', client.id, '']]);
    expect(edge.closes).toEqual({ [label]: 1 });
    expectForgotten(edge, client);
  });

  test('takes its groups with it', async () => {
    const { server, client } = await connected();
    server.says({ type: MessageType.JoinGroup, connectionId: client.id, group: 'g' });
    client.socket.leave(1000);
    server.says({ type: MessageType.CheckGroupExistenceWithAck, group: 'g', ackId: 1 });
    expect(await server.heard()).toContainEqual(['ack', 1, 2]);
  });
});

describe('a close by the app server', () => {
  test('that the client has read ends what it is told, whoever says it', async () => {
    const { edge, server, client } = await connected();
    const other = await edge.client(server);
    server.data(client, '{"type":7}␞');
    const all = { payloads: payloads({ json: '{"type":6}␞' }) };
    server.says({ type: MessageType.BroadcastData, excludedConnectionIds: [], ...all });
    server.says({ type: MessageType.MultiConnectionData, connectionIds: [client.id], ...all });
    client.session.pingIfQuietSince(Infinity);
    expect(client.heard).toEqual(['{"type":7}␞']);
    expect(other.heard).toEqual(['{"type":6}␞']);
    server.closes(client);
    expect(client.heard).toEqual(['{"type":7}␞']);
    expect(edge.closes).toEqual({ ClosedByAppServer: 1 });
  });

  test('comes after all that was sent before it, and is not echoed', async () => {
    const { edge, server, client } = await connected();
    server.data(client, '{"type":6}␞');
    server.data(client, HUB_CLOSE);
    server.closes(client);
    server.data(client, '{"type":6}␞');
    expect(client.heard).toEqual(['{"type":6}␞', HUB_CLOSE]);
    expect(client.socket.ended?.code).toBe(1000);
    expect(await server.heard()).toEqual([]);
    expect(edge.closes).toEqual({ ClosedByAppServer: 1 });
    expectForgotten(edge, client);
  });

  test('is told to the client in its protocol when the hub has not said so', async () => {
    const { server, client } = await connected();
    server.closes(client, 'bye');
    expect(client.heard).toEqual(['{"type":7,"error":"bye"}␞']);
    const binary = await connected({ handshake: MESSAGEPACK_HANDSHAKE });
    binary.server.closes(binary.client);
    expect(binary.client.socket.sent).toEqual([
      { text: readable(encodeClose(true, undefined, false)), binary: true },
    ]);
  });

  test('of a client of another server is done, and that server is told', async () => {
    const { edge, server, client } = await connected();
    const other = await edge.server({ serverId: 'server-2' });
    other.closes(client, 'bye');
    expect(client.heard).toEqual(['{"type":7,"error":"bye"}␞']);
    expect(await server.heard()).toEqual([['close', client.id, '']]);
    expect(await other.heard()).toEqual([]);
    expect(edge.closes).toEqual({ ClosedByAppServer: 1 });
  });

  test('reaches neither clients of other hubs nor those that are gone', async () => {
    const { edge, server, client } = await connected();
    const other = await edge.server({ hub: 'other' });
    other.closes(client);
    other.closes({ id: 'nobody' });
    expect(client.socket.isOpen).toBe(true);
    expect(await server.heard()).toEqual([]);
    expect(other.socket.isOpen).toBe(true);
  });

  test('of a client that waits for a server is done', async () => {
    const edge = new TestEdge();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    const weak = edge.strangeServer();
    weak.shakesHands(2);
    weak.closes(client, 'bye');
    expect(client.heard).toEqual(['{"error":"bye"}␞']);
    expectForgotten(edge, client);
  });
});

describe('closes with an ack', () => {
  test('of one connection', async () => {
    const { edge, server, client } = await connected();
    const close = (connectionId: string, ackId: number) =>
      ({
        type: MessageType.CloseConnectionWithAck,
        connectionId,
        reason: 'enough',
        ackId,
      }) as const;
    server.says(close(client.id, 1), close('nobody', 2), close(client.id, 3));
    expect(await server.heard()).toEqual([
      ['close', client.id, ''],
      ['ack', 1, 1],
      ['ack', 2, 2],
      ['ack', 3, 2],
    ]);
    expect(client.heard).toEqual(['{"type":7,"error":"enough"}␞']);
    expect(edge.closes).toEqual({ ClosedByAppServer: 1 });
  });

  test('of all, a user and a group, exclusions aside', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const [ann, ann2, ben, cid, dan] = [
      await edge.client(server, { userId: 'ann' }),
      await edge.client(server, { userId: 'ann' }),
      await edge.client(server, { userId: 'ben' }),
      await edge.client(server),
      await edge.client(server),
    ];
    const still = (): boolean[] => [ann, ann2, ben, cid, dan].map(({ socket }) => socket.isOpen);
    const rest = { reason: undefined, excludedConnectionIds: [ann2.id, dan.id] };
    const group = 'g';
    server.says({
      type: MessageType.CloseUserConnectionsWithAck,
      userId: 'ann',
      ackId: 1,
      ...rest,
    });
    expect(still()).toEqual([false, true, true, true, true]);
    for (const { id: connectionId } of [ben, ann2]) {
      server.says({ type: MessageType.JoinGroup, connectionId, group });
    }
    server.says({ type: MessageType.CloseGroupConnectionsWithAck, group, ackId: 2, ...rest });
    expect(still()).toEqual([false, true, false, true, true]);
    server.says({ type: MessageType.CloseConnectionsWithAck, ackId: 3, ...rest });
    expect(still()).toEqual([false, true, false, false, true]);
    const heard = await server.heard();
    expect(heard.filter(([what]) => what === 'ack')).toEqual([
      ['ack', 1, 1],
      ['ack', 2, 1],
      ['ack', 3, 1],
    ]);
    expect(ann.heard).toEqual(['{"type":7}␞']);
  });

  test('of thousands takes several turns, and is confirmed after the last of them', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    for (let n = 0; n < 50; n++) await edge.client(server);
    // Two looks at the clock take a turn's time.
    edge.time.lookMs = 1;
    server.says({
      type: MessageType.CloseConnectionsWithAck,
      ackId: 1,
      reason: undefined,
      excludedConnectionIds: [],
    });
    expect(edge.closes['ClosedByAppServer']).toBeLessThan(10);
    const acks = async (): Promise<unknown[]> =>
      (await server.heard()).filter(([what]) => what === 'ack');
    expect(await acks()).toEqual([]);
    for (let n = 0; n < 50; n++) await turn();
    expect(edge.closes).toEqual({ ClosedByAppServer: 50 });
    expect(await acks()).toEqual([['ack', 1, 1]]);
  });
});

describe('a lost server connection', () => {
  test.each([
    [1000, 'Normal'],
    [1006, 'ConnectionLost'],
  ])('with %i ends its clients, who may come back', async (code, label) => {
    const { edge, server, client } = await connected();
    const binary = await edge.client(server, { handshake: MESSAGEPACK_HANDSHAKE });
    const opening = edge.strangeClient();
    opening.says(JSON_HANDSHAKE);
    const [other, third] = [await edge.server({ serverId: 'server-2' }), edge.strangeClient()];
    third.says(JSON_HANDSHAKE);
    expect(await other.heard()).toHaveLength(2);
    server.socket.leave(code);
    expect(client.heard).toEqual([HUB_CLOSE]);
    expect(client.socket.ended?.code).toBe(1001);
    expect(binary.socket.sent).toEqual([
      { text: readable(encodeClose(true, undefined, true)), binary: true },
    ]);
    expect(opening.heard).toEqual([]);
    expect(third.socket.isOpen).toBe(true);
    expect(edge.closes).toEqual({ ServerConnectionClosed: 2 });
    expect([...edge.context.counters.serverCloses.entries()]).toContainEqual([label, 1]);
    expect((await other.heard()).map(([kind, id]) => [kind, id])).toEqual([
      ['open', opening.id],
      ['data', opening.id],
    ]);
    other.data(opening, '{}␞');
    expect(opening.heard).toEqual(['{}␞']);
  });

  test('has its unanswered clients wait for a new connection of the same server', async () => {
    const edge = new TestEdge();
    const [first, second] = [await edge.server(), await edge.server()];
    const opening = edge.strangeClient();
    opening.says(JSON_HANDSHAKE);
    const [lost, left] = first.session.clients.length > 0 ? [first, second] : [second, first];
    lost.socket.leave(1006);
    expect(opening.heard).toEqual([]);
    await left.messages();
    expect(left.session.clients).toEqual([]);
    const replacement = await edge.server();
    await replacement.messages();
    expect([...left.session.clients, ...replacement.session.clients]).toEqual([opening.session]);
  });

  test('refuses a client whose first messages went with it', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const opening = edge.strangeClient();
    opening.says(`${JSON_HANDSHAKE}{"type":6}␞`);
    await edge.server({ serverId: 'server-2' });
    server.socket.leave(1006);
    expect(opening.heard).toEqual(['{"error":"Handshake was canceled."}␞']);
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
  });

  test('that sent hub closes before it went ends the clients without a second one', async () => {
    const { edge, server, client } = await connected();
    server.data(client, HUB_CLOSE);
    server.socket.leave(1000);
    expect(client.heard).toEqual([HUB_CLOSE]);
    expect(client.socket.isOpen).toBe(false);
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
  });
});

describe('a slow client', () => {
  test('is cut, and the others get their broadcast', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const clients: FakeClient[] = [];
    for (let i = 0; i < 5; i++) clients.push(await edge.client(server));
    const slow = [clients.at(1)!, clients.at(4)!];
    for (const { socket } of slow) socket.answer = 2;
    const json = payloads({ json: '{"n":1}␞' });
    const broadcast = {
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: json,
    } as const;
    server.says(broadcast, broadcast);
    for (const client of clients.filter((one) => !slow.includes(one))) {
      expect(client.heard).toEqual(['{"n":1}␞{"n":1}␞']);
    }
    for (const { socket } of slow) expect(socket.cut).toBe(true);
    expect(edge.closes).toEqual({ SlowClient: 2 });
    expect(edge.context.counters.slowClients).toBe(2);
    expect(await server.heard()).toEqual(slow.map(({ id }) => ['close', id, '']));
  });
});

test('an edge that stops tells its clients to come back', async () => {
  const { edge, server, client } = await connected();
  client.session.close(CLIENT_CLOSE_REASONS.serviceReload);
  client.session.close(CLIENT_CLOSE_REASONS.serviceReload);
  expect(client.heard).toEqual([HUB_CLOSE]);
  expect(client.socket.ended?.code).toBe(1001);
  expect(edge.closes).toEqual({ ServiceReload: 1 });
  expect(await server.heard()).toEqual([['close', client.id, '']]);
});
