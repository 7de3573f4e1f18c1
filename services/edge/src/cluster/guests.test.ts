import type { CloseConnection, OpenConnection } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { MemoryBroker } from '../bus/memory-bus.ts';
import { SendResult } from '../ports/socket.ts';
import type { HttpClient } from '../sessions/client/http/http-client.ts';
import { FakeExchange } from '../sessions/fake-exchange.test-support.ts';
import {
  counted,
  JSON_HANDSHAKE,
  payloads,
  turn,
  usedOf,
} from '../sessions/fixtures.test-support.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, json, roundTrip, settle } from './cluster-member.test-support.ts';
import { announced, arriving, guestOf, house, serverAt } from './guests.test-support.ts';

let broker: MemoryBroker;
let owner: Member;
let host: Member;

beforeEach(async () => {
  ({ broker, owner, host } = await house());
});

const endsOf = ({ stats }: Member): Record<string, number> =>
  Object.fromEntries(Object.entries(stats.guestEnds).filter(([, count]) => count > 0));

const call = (id: string): string =>
  `{"type":1,"invocationId":"${id}","target":"a","arguments":[]}␞`;
const result = (id: string): string => `{"type":3,"invocationId":"${id}","result":1}␞`;

describe('a client at an edge without app servers', () => {
  test('is opened by an app server of another edge, which is told where it is', async () => {
    const server = await serverAt(host);
    const introduction = { tokenPayload: '{"sub":"ann"}', headers: ['a: b'], queryString: '?c=d' };
    const client = await arriving(owner, { userId: 'ann', introduction });
    const [opened, said] = await server.messages();
    expect(opened).toMatchObject({
      type: MessageType.OpenConnection,
      connectionId: client.id,
      queryString: '?c=d',
      protocol: 'json',
    });
    const { headers } = opened as OpenConnection;
    expect(headers.get('a')).toEqual(['b']);
    expect(headers.get('Asrs-Instance-Id')).toEqual(['owner']);
    expect(said).toMatchObject({ type: MessageType.ConnectionData, connectionId: client.id });
    server.data(client, '{}␞');
    await roundTrip();
    expect(client.heard).toEqual(['{}␞']);
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([1, 1]);
  });

  test('speaks with it both ways, in order', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    for (let n = 0; n < 3; n++) client.says(call(String(n)));
    await roundTrip();
    expect(await server.heard()).toEqual(
      [0, 1, 2].map((n) => ['data', client.id, call(String(n))]),
    );
    for (let n = 0; n < 3; n++) server.data(client, result(String(n)));
    await roundTrip();
    expect(client.heard.join('')).toBe([0, 1, 2].map((n) => result(String(n))).join(''));
    expect(owner.edge.context.counters.messagesFromClients).toBe(3);
    expect(host.edge.context.counters.messagesToServers).toBe(3);
    expect(owner.edge.context.counters.messagesToServers).toBe(0);
  });

  test('is given long messages in pieces', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    const long = result('x'.repeat(3 * 1024 * 1024));
    server.data(client, long);
    await roundTrip();
    expect(client.heard.join('')).toBe(long);
  });

  test('waits, and is assigned as soon as another edge says that it has one', async () => {
    const client = await arriving(owner);
    expect(owner.edge.hubs.get('chat')!.waiting.size).toBe(1);
    const server = await serverAt(host);
    expect((await server.heard()).map(([kind]) => kind)).toEqual(['open', 'data']);
    expect(owner.edge.hubs.get('chat')!.waiting.size).toBe(0);
    expect(client.socket.isOpen).toBe(true);
  });

  test('waits as long as today where there is none anywhere', async () => {
    const client = await arriving(owner);
    owner.edge.pass(11);
    expect(client.socket.isOpen).toBe(false);
    expect(owner.edge.closes).toEqual({ NoAvailableServerConnection: 1 });
  });

  test('is served here, once there is one here', async () => {
    const there = await serverAt(host);
    const before = await guestOf(there, owner);
    const here = await serverAt(owner, { serverId: 'here' });
    const after = await guestOf(here, owner);
    expect(after.session.host).toBe(here.session);
    before.says(call('1'));
    await roundTrip();
    expect(await there.heard()).toEqual([['data', before.id, call('1')]]);
  });

  test('goes to the app server with the fewest clients for each connection', async () => {
    const one = await serverAt(host, { serverId: 'one' });
    const two = await serverAt(host, { serverId: 'two' });
    for (let n = 0; n < 4; n++) await arriving(owner);
    expect([one.session.clients.length, two.session.clients.length]).toEqual([2, 2]);
  });
});

describe('ends', () => {
  test('by its app server, behind all that that has said', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    server.data(client, '{"type":7}␞');
    server.closes(client);
    await roundTrip();
    expect(client.heard).toEqual(['{"type":7}␞']);
    expect(client.socket.isOpen).toBe(false);
    expect(owner.edge.closes).toEqual({ ClosedByAppServer: 1 });
    expect(await server.heard()).toEqual([]);
    expect(endsOf(host)).toEqual({ closed_by_app_server: 1 });
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([0, 0]);
  });

  test('by itself, behind all that it has said', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    client.says(call('1'));
    client.socket.leave(1000);
    await roundTrip();
    expect(await server.heard()).toEqual([
      ['data', client.id, call('1')],
      ['close', client.id, ''],
    ]);
    server.data(client, result('1'));
    await roundTrip();
    expect(host.edge.context.counters.unknownConnections).toBe(1);
    expect(endsOf(host)).toEqual({ client_gone: 1 });
  });

  test('by the word of another app server, of either edge', async () => {
    const server = await serverAt(host);
    const other = await serverAt(host, { serverId: 'other' });
    const clients = [await guestOf(server, owner), await guestOf(other, owner)];
    const closer = await serverAt(owner, { serverId: 'third' });
    other.closes(clients[0]!, 'enough');
    closer.closes(clients[1]!);
    await roundTrip();
    expect(clients[0]!.heard).toEqual(['{"type":7,"error":"enough"}␞']);
    expect(clients.map(({ socket }) => socket.isOpen)).toEqual([false, false]);
    expect(await server.heard()).toEqual([['close', clients[0]!.id, '']]);
    expect(await other.heard()).toEqual([['close', clients[1]!.id, '']]);
  });

  test('when its sign-in does', async () => {
    const server = await serverAt(host);
    const expiresAt = owner.edge.time.unixSeconds() + 5;
    const client = await guestOf(server, owner, { expiresAt });
    owner.edge.pass(7);
    await roundTrip();
    expect(client.socket.isOpen).toBe(false);
    expect(await server.heard()).toEqual([['close', client.id, '']]);
  });
});

describe('what app servers say to many', () => {
  test('comes once, in order with what its own app server says to it', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner, { userId: 'ann' });
    const { id: connectionId } = client;
    server.says({ type: MessageType.JoinGroupWithAck, connectionId, group: 'g', ackId: 1 });
    await roundTrip();
    expect(await server.heard()).toEqual([['ack', 1, 1]]);
    const say = (n: number) => payloads({ json: `{"type":6,"n":${n}}␞` });
    server.data(client, '{"type":6,"n":0}␞');
    server.says(
      { type: MessageType.BroadcastData, excludedConnectionIds: [], payloads: say(1) },
      {
        type: MessageType.GroupBroadcastData,
        group: 'g',
        excludedConnectionIds: [],
        excludedUserIds: [],
        callerUserId: undefined,
        payloads: say(2),
      },
      { type: MessageType.UserData, userId: 'ann', payloads: say(3) },
      { type: MessageType.MultiConnectionData, connectionIds: [connectionId], payloads: say(4) },
    );
    server.data(client, '{"type":6,"n":5}␞');
    await roundTrip();
    expect(client.heard.join('')).toBe(
      [0, 1, 2, 3, 4, 5].map((n) => `{"type":6,"n":${n}}␞`).join(''),
    );
  });

  test('is held until its handshake response is out', async () => {
    const server = await serverAt(host);
    const client = await arriving(owner);
    server.says({ type: MessageType.BroadcastData, excludedConnectionIds: [], payloads: json });
    await roundTrip();
    expect(client.heard).toEqual([]);
    server.data(client, '{}␞');
    await roundTrip();
    expect(client.heard).toEqual(['{}␞', '{"n":1}␞']);
  });

  test('checks find it, and its groups', async () => {
    const server = await serverAt(host);
    const { id: connectionId } = await guestOf(server, owner);
    server.says(
      { type: MessageType.CheckConnectionExistenceWithAck, connectionId, ackId: 1 },
      { type: MessageType.JoinGroupWithAck, connectionId, group: 'g', ackId: 2 },
      { type: MessageType.CheckGroupExistenceWithAck, group: 'g', ackId: 3 },
    );
    await roundTrip();
    expect(await server.heard()).toEqual([1, 2, 3].map((ackId) => ['ack', ackId, 1]));
  });
});

describe('sticks', () => {
  const sticky = (kind: 'Preferred' | 'Required', serverName: string) => ({
    affinity: { sticky: kind, serverName },
  });

  test('to the app server that it prefers, although another one is here', async () => {
    const there = await serverAt(host, { serverId: 'there' });
    const here = await serverAt(owner, { serverId: 'here' });
    await guestOf(there, owner, sticky('Preferred', 'there'));
    expect([here.session.clients.length, there.session.clients.length]).toEqual([0, 1]);
  });

  test('to one that it prefers no longer than there is one', async () => {
    const here = await serverAt(owner, { serverId: 'here' });
    await guestOf(here, owner, sticky('Preferred', 'there'));
    expect(here.session.clients.length).toBe(1);
  });

  test('to the one that it requires, and has no other', async () => {
    const there = await serverAt(host, { serverId: 'there' });
    const here = await serverAt(owner, { serverId: 'here' });
    const client = await guestOf(there, owner, sticky('Required', 'there'));
    there.socket.leave(1006);
    await announced(host);
    expect(client.socket.isOpen).toBe(false);
    expect(owner.edge.closes).toEqual({ ServerConnectionClosed: 1 });
    expect(here.session.clients.length).toBe(0);
  });

  test('is turned away when the one that it requires is nowhere', async () => {
    await serverAt(owner, { serverId: 'here' });
    await serverAt(host, { serverId: 'there' });
    const client = await arriving(owner, sticky('Required', 'another'));
    expect(client.socket.isOpen).toBe(true);
    owner.edge.pass(0.5);
    expect(client.socket.isOpen).toBe(false);
    expect(owner.edge.closes).toEqual({ NoAvailableServerConnection: 1 });
  });

  test('waits for the one that it requires, which has just lost a connection elsewhere', async () => {
    const lost = await serverAt(host, { serverId: 'there' });
    const left = await serverAt(host, { serverId: 'there' });
    const [first] = [await guestOf(lost, owner)];
    expect(first!.session.host).toBeDefined();
    lost.socket.leave(1006);
    await roundTrip();
    const client = await arriving(owner, sticky('Required', 'there'));
    expect([client.socket.isOpen, left.session.clients.length]).toEqual([true, 0]);
    left.socket.leave(1006);
    await announced(host);
    owner.edge.pass(1);
    expect(client.socket.isOpen).toBe(false);
    expect(owner.edge.closes.NoAvailableServerConnection).toBe(1);
  });

  test('to one that sends its first client before its edge has told of it', async () => {
    const client = await arriving(owner, sticky('Required', 'there'));
    const there = await serverAt(host, { serverId: 'there' });
    await announced(host);
    owner.edge.pass(1);
    await roundTrip();
    expect([client.socket.isOpen, there.session.clients.length]).toEqual([true, 1]);
  });
});

describe('its server connection is lost', () => {
  /** Two app servers, a client of one of them with a call under way, and then that one is lost. */
  async function loss(level: number) {
    const servers = [
      await serverAt(host, { level }),
      await serverAt(host, { serverId: 'other', level }),
    ];
    const client = await guestOf(servers[0]!, owner);
    const [holder, next] = servers[0]!.session.clients.length > 0 ? servers : servers.toReversed();
    client.says(call('1'));
    await roundTrip();
    await next!.messages();
    holder!.socket.leave(1006);
    await roundTrip();
    expect(endsOf(host)).toEqual({ app_server_lost: 1 });
    return { client, holder: holder!, next: next! };
  }

  test.each([0, 1])('at migration level %i: it is to connect again', async (level) => {
    const { client } = await loss(level);
    expect(client.socket.isOpen).toBe(false);
    expect(owner.edge.closes).toEqual({ ServerConnectionClosed: 1 });
  });

  test('at migration level 2: it moves, and its call is answered with an error', async () => {
    const { client, holder, next } = await loss(2);
    expect(client.socket.isOpen).toBe(true);
    expect(client.heard.join('')).toContain('"invocationId":"1"');
    const [opened, said] = await next.messages();
    expect(opened).toMatchObject({ type: MessageType.OpenConnection, connectionId: client.id });
    const { headers } = opened as OpenConnection;
    expect(headers.get('Asrs-Migrate-From')).toEqual([holder.session.serverId]);
    expect(said).toMatchObject({ type: MessageType.ConnectionData });
  });

  test('before it has answered: another one is told of the client', async () => {
    const server = await serverAt(host);
    const client = await arriving(owner);
    const other = await serverAt(host, { serverId: 'other' });
    server.socket.leave(1006);
    await announced(host);
    other.data(client, '{}␞');
    await roundTrip();
    expect(client.heard).toEqual(['{}␞']);
  });

  test('and its process is given it again only by a connection that it has dialled since', async () => {
    const level = 2;
    const lost = await serverAt(host, { level });
    const here = await serverAt(owner, { level, hub: 'another' });
    expect(here.session.isOpen).toBe(true);
    const client = await guestOf(lost, owner);
    const left = await serverAt(host, { level });
    lost.socket.leave(1006);
    await roundTrip();
    await announced(host);
    expect([client.socket.isOpen, left.session.clients.length]).toEqual([true, 0]);
    const again = await serverAt(host, { level });
    expect(left.session.clients.length + again.session.clients.length).toBe(1);
  });

  test('and its process is not given it at another edge, where it may have it on its books', async () => {
    const level = 2;
    const lost = await serverAt(host, { level });
    const client = await guestOf(lost, owner);
    const here = await serverAt(owner, { level });
    lost.socket.leave(1006);
    await announced(host);
    expect([client.socket.isOpen, here.session.clients.length]).toEqual([true, 0]);
    await serverAt(owner, { level });
    expect(client.session.host).toBeDefined();
  });
});

describe('its app server leaves', () => {
  const leave = (server: FakeServer, mode = 'fin:1'): void =>
    server.says({ type: MessageType.Ping, entries: ['shutdown', mode] });

  test('its calls end first, then it moves: from there to here', async () => {
    const server = await serverAt(host, { level: 1 });
    const client = await guestOf(server, owner);
    client.says(call('1'));
    await roundTrip();
    const here = await serverAt(owner, { serverId: 'here', level: 1 });
    leave(server);
    await roundTrip();
    client.says(call('2'));
    await roundTrip();
    expect((await server.heard()).map(([kind]) => kind)).toEqual(['data', 'ping']);
    server.data(client, result('1'));
    await roundTrip();
    expect(client.heard.join('')).toBe(result('1'));
    const [closed] = await server.messages();
    const { headers } = closed as CloseConnection;
    expect(headers.get('Asrs-Migrate-To')).toEqual(['here']);
    expect(await here.heard()).toEqual([
      ['open', client.id, 'json'],
      ['data', client.id, JSON_HANDSHAKE],
      ['data', client.id, call('2')],
    ]);
    expect(counted(owner.edge.context.counters.migrations)).toEqual({ moved: 1 });
    expect(endsOf(host)).toEqual({ moved: 1 });
  });

  test('from here to there, and from there to another there', async () => {
    const here = await serverAt(owner, { serverId: 'here', level: 1 });
    const client = await owner.edge.client(here);
    const there = await serverAt(host, { serverId: 'there', level: 1 });
    leave(here);
    await roundTrip();
    expect((await there.heard()).map(([kind]) => kind)).toEqual(['open', 'data']);
    const third = await serverAt(host, { serverId: 'third', level: 1 });
    leave(there, 'fin:0');
    await roundTrip();
    expect((await third.heard()).map(([kind]) => kind)).toEqual(['open', 'data']);
    expect((await there.heard()).map(([kind]) => kind)).toEqual(['close', 'ping']);
    client.says(call('1'));
    await roundTrip();
    expect(await third.heard()).toEqual([['data', client.id, call('1')]]);
    expect(counted(owner.edge.context.counters.migrations)).toEqual({ moved: 2 });
  });

  test('while its handshake is under way: it leaves when that is over', async () => {
    const server = await serverAt(host, { level: 1 });
    const client = await arriving(owner);
    const here = await serverAt(owner, { serverId: 'here', level: 1 });
    leave(server);
    await roundTrip();
    server.data(client, '{}␞');
    await roundTrip();
    expect(client.session.host).toBe(here.session);
  });

  test('which does not bear moves: it is closed when its calls have ended', async () => {
    const server = await serverAt(host);
    await serverAt(owner, { serverId: 'here' });
    const client = await guestOf(server, owner, {
      affinity: { sticky: 'Preferred', serverName: 'server-1' },
    });
    client.says(call('1'));
    await roundTrip();
    leave(server);
    await roundTrip();
    expect(client.socket.isOpen).toBe(true);
    server.data(client, result('1'));
    await roundTrip();
    expect(client.socket.isOpen).toBe(false);
    expect(counted(owner.edge.context.counters.migrations)).toEqual({ not_allowed: 1 });
  });
});

describe('the line between the edges', () => {
  /** A client that may move, at either end of a call. */
  async function scene(level: number) {
    const server = await serverAt(host, { level });
    const client = await guestOf(server, owner);
    client.says(call('1'));
    await roundTrip();
    await server.messages();
    return { server, client };
  }

  test.each([
    ['there', () => host.gap('owner', 'missing')],
    ['back', () => owner.gap('host', 'missing')],
  ])('misses something on the way %s: another process has the client next', async (_way, miss) => {
    const { server, client } = await scene(2);
    const other = await serverAt(host, { serverId: 'other', level: 2 });
    miss();
    await roundTrip();
    expect(await server.heard()).toEqual([['close', client.id, '']]);
    expect((await other.heard()).map(([kind]) => kind)).toEqual(['open', 'data']);
    expect(client.heard.join('')).toContain('"error"');
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([1, 1]);
    expect(endsOf(host)).toEqual({ line_lost: 1 });
  });

  test('misses something: a process that goes on does not get the same client again', async () => {
    const { server, client } = await scene(2);
    owner.gap('host', 'missing');
    server.data(client, result('1'));
    await roundTrip();
    await announced(host);
    expect(await server.heard()).toEqual([['close', client.id, '']]);
    expect(client.heard.join('').match(/"invocationId":"1"/g)).toHaveLength(1);
    expect(client.socket.isOpen).toBe(false);
    expect(owner.edge.closes).toEqual({ ServerConnectionClosed: 1 });
    expect(counted(owner.edge.context.counters.migrations)).toEqual({ no_server: 1 });
  });

  test('misses something, and the hub does not bear moves: the client is to connect again', async () => {
    const { server, client } = await scene(0);
    owner.gap(undefined, 'cut');
    await roundTrip();
    expect(await server.heard()).toEqual([['close', client.id, '']]);
    expect(owner.edge.closes).toEqual({ ServerConnectionClosed: 1 });
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([0, 0]);
  });

  describe('breaks for a moment, with the bus', () => {
    async function cut(): Promise<void> {
      owner.down('gone');
      owner.gap(undefined, 'cut');
      await roundTrip();
    }

    test('the client waits until it is back, and moves', async () => {
      const { server, client } = await scene(2);
      const other = await serverAt(host, { serverId: 'other', level: 2 });
      await cut();
      client.says(call('2'));
      expect([client.socket.isOpen, client.session.host]).toEqual([true, undefined]);
      owner.up();
      await roundTrip();
      expect(server.session.clients.length).toBe(0);
      expect((await other.heard()).at(-1)).toEqual(['data', client.id, call('2')]);
    });

    test('nobody else can have the client, as all others have told: it is to connect again', async () => {
      const { client } = await scene(2);
      const third = join(broker, 'third');
      await settle(owner, host, third);
      await cut();
      host.loses = 'members';
      owner.up();
      await roundTrip();
      expect(client.socket.isOpen).toBe(true);
      host.loses = undefined;
      await settle(owner, host, third);
      expect(client.socket.isOpen).toBe(false);
      expect(owner.edge.closes).toEqual({ ServerConnectionClosed: 1 });
      expect(counted(owner.edge.context.counters.migrations)).toEqual({ no_server: 1 });
    });

    test('and an edge that is to tell is gone with it: the client is to connect again', async () => {
      const { client } = await scene(2);
      await cut();
      owner.edge.pass(4);
      expect(client.socket.isOpen).toBe(false);
    });
  });

  test('ends with the edge of the app server: the client moves to what is left', async () => {
    const { client } = await scene(2);
    const here = await owner.edge.server({ serverId: 'here', level: 2 });
    owner.edge.passWith(here, 4);
    await turn();
    expect(client.session.host).toBe(here.session);
    expect(client.heard.join('')).toContain('"error"');
    expect(owner.stats.remoteClients).toBe(0);
  });

  test('ends with an edge that may only be cut off: its app server has the client again later, by a new connection', async () => {
    const level = 2;
    const { client } = await scene(level);
    owner.gone('host');
    const here = await owner.edge.server({ level });
    owner.edge.passWith(here, 4);
    expect([client.socket.isOpen, client.session.host]).toEqual([true, undefined]);
    owner.edge.passWith(here, 1);
    expect(client.session.host).toBe(here.session);
  });

  test('ends with an edge that may be frozen: its app server does not get the client again', async () => {
    const level = 2;
    const { client } = await scene(level);
    const before = await owner.edge.server({ level, hub: 'another' });
    owner.edge.passWith(before, 4);
    const here = await owner.edge.server({ level });
    owner.edge.passWith(here, 8);
    expect([client.socket.isOpen, client.session.host]).toEqual([true, undefined]);
    owner.edge.passWith(here, 3);
    expect(client.socket.isOpen).toBe(false);
  });

  test('ends with the edge of the client: its app server is told', async () => {
    const { server, client } = await scene(2);
    host.edge.passWith(server, 4);
    expect((await server.heard()).filter(([kind]) => kind !== 'ping')).toEqual([
      ['close', client.id, ''],
    ]);
    expect(host.stats.guests).toBe(0);
    expect(host.edge.context.guests.size).toBe(0);
    expect(endsOf(host)).toEqual({ edge_lost: 1 });
  });

  test('is over when an edge that was not heard for a while is back', async () => {
    const { server, client } = await scene(0);
    host.edge.passWith(server, 4);
    await server.messages();
    expect(client.socket.isOpen).toBe(true);
    await settle(owner, host);
    expect(client.socket.isOpen).toBe(false);
    expect(owner.stats.remoteClients).toBe(0);
  });

  test('goes on without the bus for nobody new, and those of one edge go on', async () => {
    await serverAt(host);
    const here = await serverAt(owner, { serverId: 'here' });
    const client = await owner.edge.client(here);
    owner.down('gone');
    client.says(call('1'));
    expect(await here.heard()).toEqual([['data', client.id, call('1')]]);
    here.socket.leave(1006);
    const late = await arriving(owner);
    expect([late.socket.isOpen, owner.edge.hubs.get('chat')!.waiting.size]).toEqual([true, 1]);
    owner.up();
    await settle(owner, host);
    expect(owner.stats.remoteClients).toBe(1);
  });
});

describe('the host edge', () => {
  test('refuses a client for whom there is no room: it waits for the next word of that edge', async () => {
    const server = await serverAt(host);
    server.session.drain();
    const client = await arriving(owner);
    expect(owner.edge.hubs.get('chat')!.waiting.size).toBe(1);
    expect(endsOf(host)).toEqual({ refused: 1 });
    const other = await serverAt(host, { serverId: 'other' });
    other.data(client, '{}␞');
    await roundTrip();
    expect(client.heard).toEqual(['{}␞']);
  });

  test('refuses a client that moves: what that says meanwhile comes to the next', async () => {
    const level = 2;
    const there = await serverAt(host, { level });
    const client = await guestOf(there, owner);
    const full = await serverAt(host, { serverId: 'full', level });
    full.session.drain();
    there.socket.leave(1006);
    await turn();
    client.says(call('1'));
    await roundTrip();
    expect(endsOf(host)).toMatchObject({ refused: 1 });
    expect(client.heard.join('')).toBe('');
    const next = await serverAt(host, { serverId: 'next', level });
    expect((await next.heard()).at(-1)).toEqual(['data', client.id, call('1')]);
  });

  test('refuses a client again and again, whose process has it still: that waits as for any', async () => {
    const lost = await serverAt(host);
    const client = await arriving(owner);
    const left = await serverAt(host);
    lost.socket.leave(1006);
    for (let second = 0; second < 11; second++) {
      await roundTrip();
      expect(client.socket.isOpen).toBe(second < 10);
      host.edge.passWith(left, 1);
      owner.edge.pass(1);
    }
    expect(host.stats.guestEnds.refused).toBeGreaterThan(5);
    expect(left.session.clients.length).toBe(0);
  });

  test('refuses clients of an edge that counts as gone: nobody would end them', async () => {
    const server = await serverAt(host);
    host.loses = '';
    host.edge.passWith(server, 4);
    await roundTrip();
    host.loses = 'members';
    await arriving(owner);
    expect(endsOf(host)).toEqual({ refused: 1 });
    expect((await server.heard()).map(([kind]) => kind)).not.toContain('open');
  });

  test('does not get clients back for an app server that leaves', async () => {
    const level = 1;
    const other = await serverAt(host, { serverId: 'other', level });
    for (let n = 0; n < 5; n++) await host.edge.client(other);
    await settle(owner, host);
    const leaving = await serverAt(host, { level });
    for (let n = 0; n < 2; n++) await guestOf(leaving, owner);
    leaving.says({ type: MessageType.Ping, entries: ['shutdown', 'fin:1'] });
    await roundTrip();
    expect([leaving, other].map(({ session }) => session.clients.length)).toEqual([0, 7]);
    expect(endsOf(host)).toEqual({ moved: 2 });
  });

  test('asks its app server for a connection more where the client is, a few times', async () => {
    const server = await serverAt(host);
    await guestOf(server, owner);
    let asked = 0;
    for (let n = 0; n < 100; n++) {
      owner.edge.pass(1);
      host.edge.passWith(server, 1);
      for (const [, entry, target] of await server.heard()) {
        if (entry === 'target' && target === 'owner') asked++;
      }
    }
    expect(asked).toBe(5);
  });

  const long = call('x'.repeat(32 * 1024));

  test('closes a client that says more than an app server takes that does not read', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    server.socket.buffered = 2 * 1024 * 1024;
    server.socket.answer = SendResult.Queued;
    for (let n = 0; n < 30 && client.socket.isOpen; n++) {
      client.says(long);
      await roundTrip();
    }
    expect(owner.edge.closes).toEqual({ SlowAppServer: 1 });
    expect(host.stats.guests).toBe(0);
  });

  test('is given no more than its share of what a client says at once', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    let said = 0;
    while (client.socket.isOpen && said < 200) {
      expect(client.session.hasRoom).toBe(said <= 7);
      client.says(long);
      said++;
    }
    expect(said).toBe(160);
    expect(owner.edge.closes).toEqual({ SlowAppServer: 1 });
    expect(owner.edge.context.intake.remoteClients.used).toBe(0);
  });

  test('is given no more than there is for all clients: the largest makes room', async () => {
    const server = await serverAt(host);
    const clients: FakeClient[] = [];
    for (let n = 0; n < 40; n++) clients.push(await guestOf(server, owner));
    const [largest, quiet] = [clients[0]!, clients[39]!];
    host.loses = 'edge.';
    for (let n = 0; n < 30; n++) largest.says(long);
    for (const client of clients.slice(0, 38)) for (let n = 0; n < 7; n++) client.says(long);
    expect(quiet.session.hasRoom).toBe(false);
    const { used } = owner.edge.context.intake.remoteClients;
    expect(used).toBeGreaterThan(8 * 1024 * 1024);
    while (largest.socket.isOpen) for (const client of clients.slice(1, 38)) client.says(long);
    quiet.says(call('1'));
    expect(owner.edge.closes).toEqual({ SlowAppServer: 1 });
    for (const client of clients.slice(1, 38)) client.socket.leave(1006);
    expect(quiet.session.hasRoom).toBe(true);
  });

  test('makes room at the end of a turn: posts that wait are not passed on as hosts change', async () => {
    const server = await serverAt(host);
    const clients: FakeClient[] = [];
    for (let n = 0; n < 40; n++) clients.push(await guestOf(server, owner));
    host.loses = 'edge.';
    for (const client of clients) for (let n = 0; n < 7; n++) client.says(long);
    const { session } = clients[0]!;
    expect(session.hasRoom).toBe(false);
    const { heldPosts } = owner.edge.context;
    const passedOn: string[] = [];
    const take = (body: Buffer): void => void passedOn.push(body.toString());
    const poster = { session, take } as unknown as HttpClient;
    heldPosts.add(poster, Buffer.from('waits'), new FakeExchange(), 0);
    for (const client of clients.slice(20)) client.socket.leave(1006);
    expect([session.hasRoom, passedOn]).toEqual([true, []]);
    await turn();
    expect(passedOn).toEqual(['waits']);
  });

  test('confirms what it has taken, so that a client may say as much as it likes', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    for (let n = 0; n < 64; n++) {
      client.says(long);
      await roundTrip();
    }
    expect(client.socket.isOpen).toBe(true);
    expect(client.session.hasRoom).toBe(true);
    expect((await server.heard()).length).toBe(64);
  });

  test('confirms within a second or so what clients say, who say little', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    for (let n = 0; n < 5; n++) {
      client.says(call('1'));
      await roundTrip();
      expect(usedOf(owner.edge.context.pools, 'remote_clients')).toBeGreaterThan(0);
      host.edge.passWith(server, 1);
      await roundTrip();
      expect(usedOf(owner.edge.context.pools, 'remote_clients')).toBe(0);
    }
    client.says(call('1'));
    client.socket.leave(1000);
    await roundTrip();
    host.edge.passWith(server, 1);
    await roundTrip();
    expect(usedOf(owner.edge.context.pools, 'remote_clients')).toBe(0);
  });

  test('knows of it where another process was taken for it, and lives on', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    owner.gap('host', 'restarted');
    await roundTrip();
    expect(host.stats.guests).toBe(owner.stats.remoteClients);
    expect(await server.heard()).toContainEqual(['close', client.id, '']);
    const other = await guestOf(server, owner);
    other.says(call('1'));
    await roundTrip();
    expect(await server.heard()).toContainEqual(['data', other.id, call('1')]);
  });

  test('ends a client also where its app server gives more of a reason than the bus takes', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    host.refusesOver = 1000;
    server.closes(client, 'x'.repeat(2000));
    await roundTrip();
    expect(client.socket.isOpen).toBe(false);
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([0, 0]);
    expect(host.edge.lines).toContainEqual(
      expect.objectContaining({ msg: 'not said to another edge: too long', edgeId: 'owner' }),
    );
  });

  test('lets a client hear that somebody is there while its app server is silent', async () => {
    const server = await serverAt(host);
    const client = await guestOf(server, owner);
    const ping = '{"type":6}␞';
    for (let n = 0; n < 20 && client.socket.isOpen; n++) {
      owner.edge.pass(1);
      if (n < 9) host.edge.passWith(server, 1);
      else host.edge.pass(1);
      await roundTrip();
      if (client.heard.includes(ping)) break;
    }
    expect(client.heard).toEqual([ping]);
  });
});
