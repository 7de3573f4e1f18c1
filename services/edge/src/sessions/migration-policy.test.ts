import { MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from './fixtures.test-support.ts';
import { counted, JSON_HANDSHAKE, TestEdge, usedOf } from './fixtures.test-support.ts';
import type { MigrationPolicy } from './migration-policy.ts';

const HUB_CLOSE = '{"type":7,"allowReconnect":true}␞';
const CALL = '{"type":1,"invocationId":"1","target":"a","arguments":[]}␞';
const DONE = '{"type":3,"invocationId":"1","result":null}␞';
const FINACK = ['ping', 'shutdown', 'finack'];

const lose = (server: FakeServer): void => server.socket.leave(1006);
const fin = (server: FakeServer, mode: number): void =>
  server.says({ type: MessageType.Ping, entries: ['shutdown', `fin:${mode}`] });

interface Scene {
  edge: TestEdge;
  a: FakeServer;
  b: FakeServer;
  client: FakeClient;
}

/** A client of app server a, which says `level`; b, which could take it, says the opposite. */
async function scene(level: number, migration: MigrationPolicy = 'app'): Promise<Scene> {
  const edge = new TestEdge({ migration });
  const a = await edge.server({ serverId: 'a', level });
  const client = await edge.client(a);
  const b = await edge.server({ serverId: 'b', level: level === 0 ? 2 : 0 });
  return { edge, a, b, client };
}

function expectMoved({ client, b }: Scene): void {
  expect(client.session.host).toBe(b.session);
  expect(client.heard).toEqual([]);
}

/** At once, to reconnect, and nobody was given it. */
function expectClosed({ edge, client, b }: Scene): void {
  expect(client.heard).toEqual([HUB_CLOSE]);
  expect(client.socket.ended?.code).toBe(1001);
  expect(b.session.clients).toEqual([]);
  expect(counted(edge.context.counters.migrations)).toEqual({ not_allowed: 1 });
  expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
  expect(edge.context.unsettled.size).toBe(0);
  expect(usedOf(edge.context.pools, 'moving_clients')).toBe(0);
}

describe.each<[MigrationPolicy, number, boolean, boolean]>([
  ['app', 0, false, false],
  ['app', 1, true, false],
  ['app', 2, true, true],
  ['always', 0, true, true],
  ['never', 2, false, false],
])('--migration %s, level %i', (migration, level, atFarewell, atLoss) => {
  test.each([0, 1])('fin:%i', async (mode) => {
    const all = await scene(level, migration);
    fin(all.a, mode);
    if (atFarewell) expectMoved(all);
    else expectClosed(all);
    expect((await all.a.heard()).slice(-2)).toEqual([['close', all.client.id, ''], FINACK]);
  });

  test('fin:2: who does not move stays until the end, and is closed then', async () => {
    const all = await scene(level, migration);
    fin(all.a, 2);
    if (atFarewell) return expectMoved(all);
    expect(await all.a.heard()).toEqual([FINACK]);
    all.client.says(CALL);
    all.a.data(all.client, DONE);
    expect(all.client.heard).toEqual([DONE]);
    all.client.socket.sent.length = 0;
    all.a.socket.leave(1000);
    expectClosed(all);
  });

  test('a loss', async () => {
    const all = await scene(level, migration);
    all.client.says(CALL);
    lose(all.a);
    if (!atLoss) return expectClosed(all);
    expect(all.client.session.host).toBe(all.b.session);
    // Its call has been answered with an error.
    expect(all.client.heard).toHaveLength(1);
  });

  test('a loss before the handshake is answered: another app server takes it on', async () => {
    const { edge, a, b } = await scene(level, migration);
    b.session.drain();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    expect(client.session.host).toBe(a.session);
    const c = await edge.server({ serverId: 'c', level });
    lose(a);
    expect(client.session.host).toBe(c.session);
    c.data(client, '{}␞');
    expect(client.heard).toEqual(['{}␞']);
  });
});

describe('an app server that has its clients moved when it stops', () => {
  test('is lost after its farewell: they move still', async () => {
    const all = await scene(1);
    all.client.says(CALL);
    fin(all.a, 1);
    expect(all.client.session.host).toBe(all.a.session);
    lose(all.a);
    expect(all.client.session.host).toBe(all.b.session);
  });

  test('moves those of the connection that says so, and not those of another one', async () => {
    const edge = new TestEdge();
    const servers = [await edge.server({ serverId: 'a', level: 1 })];
    const clients = [await edge.client(servers[0]!)];
    servers.push(await edge.server({ serverId: 'a', level: 0 }));
    clients.push(await edge.client(servers[1]!));
    const c = await edge.server({ serverId: 'c' });
    for (const server of servers) fin(server, 1);
    expect(clients[0]!.session.host).toBe(c.session);
    expect(clients[1]!.heard).toEqual([HUB_CLOSE]);
  });
});

describe('an app server that has them closed', () => {
  test('fin:0: at once, whatever runs, for it would drop that itself', async () => {
    const all = await scene(0);
    all.client.says(CALL);
    fin(all.a, 0);
    expectClosed(all);
    expect(await all.b.heard()).toEqual([]);
  });

  test('fin:1: each when its calls are answered; what it says behind them is not said to anybody', async () => {
    const all = await scene(0);
    all.client.says(CALL);
    fin(all.a, 1);
    expect((await all.a.heard()).at(-1)).toEqual(FINACK);
    all.client.says(CALL.replace('"1"', '"2"'));
    expect(await all.a.heard()).toEqual([]);
    all.a.data(all.client, DONE);
    expect(all.client.heard).toEqual([DONE, HUB_CLOSE]);
    expect(await all.a.heard()).toEqual([['close', all.client.id, '']]);
    expect(await all.b.heard()).toEqual([]);
  });

  test('fin:1, with a call that does not end: after 20 s', async () => {
    const all = await scene(0);
    all.client.says(CALL);
    fin(all.a, 1);
    for (let second = 0; second < 19; second++) {
      keepAlive(all);
      all.edge.pass(1);
    }
    expect(all.client.heard).toEqual([]);
    keepAlive(all);
    all.edge.pass(1);
    expectClosed(all);
  });

  test('fin:1, and is lost before a call is answered', async () => {
    const all = await scene(0);
    all.client.says(CALL);
    fin(all.a, 1);
    lose(all.a);
    expectClosed(all);
    expect(await all.b.heard()).toEqual([]);
  });

  test('fin:0, before the handshake is answered: closed when it is, answered then', async () => {
    const { edge, a, b } = await scene(0);
    b.session.drain();
    const late = edge.strangeClient();
    late.says(JSON_HANDSHAKE);
    await a.messages();
    fin(a, 0);
    expect((await a.heard()).filter(([kind]) => kind === 'ping')).toEqual([]);
    a.data(late, '{}␞');
    expect(late.heard).toEqual(['{}␞', HUB_CLOSE]);
    expect((await a.heard()).at(-1)).toEqual(FINACK);
  });
});

/** Nobody is silent. */
function keepAlive({ a, b }: Scene): void {
  for (const { session } of [a, b]) session.received(Buffer.of(2, 0x91, 3));
}
