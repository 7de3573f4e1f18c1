import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import { JSON_HANDSHAKE, TestEdge } from '../fixtures.test-support.ts';

const HUB_CLOSE = '{"type":7,"allowReconnect":true}␞';
const GONE = '{"error":"The app server of this client has gone. Connect again."}␞';
const CALL = '{"type":1,"invocationId":"1","target":"a","arguments":[]}␞';
const affinity = { sticky: 'Required', serverName: 'a' } as const;

/** A client that requires its app server, as Blazor has them. */
describe.each([
  ['app', 2],
  ['always', 0],
  ['never', 2],
] as const)('--migration %s, level %i', (migration, level) => {
  let edge: TestEdge;
  /** The sockets of its process. */
  let sockets: FakeServer[];

  beforeEach(async () => {
    edge = new TestEdge({ migration });
    await edge.server({ serverId: 'b', level });
    sockets = [];
    for (let i = 0; i < 5; i++) sockets.push(await edge.server({ serverId: 'a', level }));
  });

  const lose = (server: FakeServer): void => server.socket.leave(1006);
  const fin = (server: FakeServer, mode: number): void =>
    server.says({ type: MessageType.Ping, entries: ['shutdown', `fin:${mode}`] });
  const finAll = (mode: number): void => sockets.forEach((socket) => fin(socket, mode));

  /** Its handshake request is sent. */
  function arrive(): FakeClient {
    const client = edge.strangeClient({ affinity });
    client.says(JSON_HANDSHAKE);
    return client;
  }

  const welcome = (client: FakeClient): void => socketOf(client).data(client, '{}␞');
  const socketOf = (client: FakeClient): FakeServer =>
    sockets.find(({ session }) => session === client.session.host)!;

  /** One open client on each socket, in their order. */
  function openClients(): FakeClient[] {
    const clients = sockets.map(() => arrive());
    clients.forEach(welcome);
    for (const client of clients) client.socket.sent.length = 0;
    return clients.toSorted(
      (one, other) => sockets.indexOf(socketOf(one)) - sockets.indexOf(socketOf(other)),
    );
  }

  test('its process dies, socket by socket: each is closed with its own, to reconnect', () => {
    const clients = openClients();
    clients[0]!.says(CALL);
    for (const [at, socket] of sockets.entries()) {
      lose(socket);
      expect(clients.map(({ socket: { isOpen } }) => isOpen)).toEqual(
        clients.map((_client, other) => other > at),
      );
    }
    expect(clients.map(({ heard }) => heard)).toEqual(clients.map(() => [HUB_CLOSE]));
    expect(edge.closes).toEqual({ ServerConnectionClosed: 5 });
    expect(edge.context.unsettled.size).toBe(0);
  });

  test.each([1, 2, 3, 4])(
    'comes when %i sockets have died: given to none of the others, closed with the last',
    (dead) => {
      sockets.slice(0, dead).forEach(lose);
      const client = arrive();
      for (const socket of sockets.slice(dead)) {
        expect(client.socket.isOpen).toBe(true);
        expect(socket.session.clients).toEqual([]);
        lose(socket);
      }
      expect(client.heard).toEqual([GONE]);
      expect(edge.closes).toEqual({ NoAvailableServerConnection: 1 });
      edge.time.pass(1000);
      expect(edge.hubs.get('chat')!.waiting.size).toBe(0);
    },
  );

  test.each([0, 1, 2, 3, 4])(
    'is about to open on socket %i of a process that dies: closed with the last',
    (at) => {
      const client = sockets.map(() => arrive()).find((one) => socketOf(one) === sockets[at])!;
      sockets.forEach(lose);
      expect(client.heard).toEqual([GONE]);
      expect(edge.closes).toEqual({ NoAvailableServerConnection: 5 });
      expect(edge.hubs.get('chat')!.servers.size).toBe(1);
    },
  );

  test('comes when its process has no connection: closed at once', () => {
    sockets.forEach(lose);
    expect(arrive().heard).toEqual([GONE]);
  });

  test('comes when its process only sends: closed at once', () => {
    sockets.forEach(lose);
    edge.strangeServer({ serverId: 'a' }).shakesHands(2);
    expect(arrive().heard).toEqual([GONE]);
  });

  test('one socket is lost: its client is closed at once, and served when it has been replaced', async () => {
    const clients = openClients();
    lose(sockets[2]!);
    expect(clients.map(({ heard }) => heard)).toEqual([[], [], [HUB_CLOSE], [], []]);
    const again = arrive();
    expect(again.session.host).toBeUndefined();
    sockets.push(await edge.server({ serverId: 'a', level }));
    welcome(again);
    expect(again.heard).toEqual(['{}␞']);
  });

  test('one socket is lost for good: who comes has another one a second later', () => {
    lose(sockets[2]!);
    edge.time.pass(400);
    const client = arrive();
    edge.time.pass(999);
    expect(client.session.host).toBeUndefined();
    edge.time.pass(1);
    expect(client.session.host?.serverId).toBe('a');
  });

  test('one socket after another is lost for good: nobody waits for longer than a second', () => {
    lose(sockets[0]!);
    const client = arrive();
    edge.time.pass(900);
    lose(sockets[1]!);
    edge.time.pass(100);
    expect(client.heard).toEqual([GONE]);
  });

  test('is about to open on the socket that is lost: opened on the next, never on the others', async () => {
    const [waits, lucky] = [arrive(), arrive()];
    lose(socketOf(lucky));
    expect(lucky.session.host).toBeUndefined();
    sockets.push(await edge.server({ serverId: 'a', level }));
    welcome(lucky);
    lose(socketOf(waits));
    edge.time.pass(1000);
    expect([lucky.heard, waits.heard]).toEqual([['{}␞'], [GONE]]);
  });

  test('is served by a process that is slow to read as before: it waits its time', async () => {
    for (const { socket, session } of sockets) {
      socket.answer = 0;
      socket.buffered = 2_000_000;
      session.write({ type: MessageType.Ping, entries: [] });
    }
    await sockets[0]!.messages();
    const client = arrive();
    edge.pass(5);
    expect(client.socket.isOpen).toBe(true);
    sockets[3]!.socket.drain();
    expect(socketOf(client)).toBe(sockets[3]);
  });

  test.each([0, 1])(
    'its process says fin:%i: closed, to reconnect; who comes, too',
    async (mode) => {
      const clients = openClients();
      await Promise.all(sockets.map((socket) => socket.messages()));
      finAll(mode);
      expect(clients.map(({ heard }) => heard)).toEqual(clients.map(() => [HUB_CLOSE]));
      expect(arrive().heard).toEqual([GONE]);
      for (const [at, socket] of sockets.entries()) {
        expect(await socket.heard()).toEqual(
          expect.arrayContaining([
            ['close', clients[at]!.id, ''],
            ['ping', 'shutdown', 'finack'],
          ]),
        );
      }
    },
  );

  test('its process waits for it (fin:2): it stays, works, and is closed when that ends', async () => {
    const [client] = openClients();
    await sockets[0]!.messages();
    finAll(2);
    client!.says(CALL);
    expect(await sockets[0]!.heard()).toEqual([
      ['ping', 'shutdown', 'finack'],
      ['data', client!.id, CALL],
    ]);
    expect(arrive().heard).toEqual([GONE]);
    edge.passWith(sockets[0]!, 60);
    expect(client!.heard).toEqual([]);
    sockets[0]!.socket.leave(1000);
    expect(client!.heard).toEqual([HUB_CLOSE]);
  });

  test('comes while the sockets say fin, one by one: given to none of the others', () => {
    const [first, ...others] = sockets;
    fin(first!, 1);
    const client = arrive();
    for (const socket of others) {
      expect(client.session.host).toBeUndefined();
      fin(socket, 1);
    }
    expect(client.heard).toEqual([GONE]);
  });
});
