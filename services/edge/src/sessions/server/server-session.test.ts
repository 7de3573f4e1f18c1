import { CONNECTION_DATA_OVERHEAD, encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import { SendResult } from '../../ports/socket.ts';
import type { ClientSession } from '../client/client-session.ts';
import { SERVER_CLOSE_REASONS } from '../close-reason.ts';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import {
  counted,
  JSON_HANDSHAKE,
  payloads,
  TestEdge,
  turn,
  usedOf,
} from '../fixtures.test-support.ts';

const HANDSHAKE = {
  type: MessageType.HandshakeRequest,
  version: 1,
  connectionType: 0,
  target: '',
  migrationLevel: 0,
} as const;
const PING = { type: MessageType.Ping, entries: [] } as const;
const HUB_PING = '{"type":6}␞';

const serverCloses = (edge: TestEdge): Record<string, number> =>
  counted(edge.context.counters.serverCloses);

describe('the service handshake', () => {
  test('is answered before anything else, and clients that wait come next', async () => {
    const edge = new TestEdge();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    const server = edge.strangeServer();
    edge.pass(6);
    expect(await server.heard()).toEqual([]);
    server.shakesHands();
    expect(await server.heard()).toEqual([
      ['handshake', ''],
      ['open', client.id, 'json'],
      ['data', client.id, JSON_HANDSHAKE],
    ]);
    expect(edge.hubs.get('chat')!.servers.size).toBe(1);
  });

  test('may come byte by byte, with messages behind it', async () => {
    const edge = new TestEdge();
    const server = edge.strangeServer();
    const check = { type: MessageType.CheckUserExistenceWithAck, userId: 'a', ackId: 7 } as const;
    for (const byte of Buffer.concat([HANDSHAKE, check].map(encodeServiceMessage))) {
      server.socket.receive(Buffer.of(byte));
    }
    expect(await server.heard()).toEqual([
      ['handshake', ''],
      ['ack', 7, 2],
    ]);
  });

  test.each([
    ['of another version', [{ ...HANDSHAKE, version: 2 }]],
    ['that is missing', [PING]],
  ])('%s is refused, in words', async (_what, messages) => {
    const edge = new TestEdge();
    const server = edge.strangeServer();
    server.says(...messages, HANDSHAKE);
    expect(await server.heard()).toEqual([
      ['handshake', 'Version mismatch: this service speaks 1.'],
    ]);
    expect(server.socket.ended).toEqual({ code: 1000, reason: 'HandshakeError' });
    expect(serverCloses(edge)).toEqual({ HandshakeError: 1 });
    expect(edge.hubs.get('chat')!.servers.size).toBe(0);
  });

  test('that is refused makes all that stands behind it void', async () => {
    const edge = new TestEdge();
    const client = await edge.client(await edge.server());
    const server = edge.strangeServer();
    server.says(
      { ...HANDSHAKE, version: 2 },
      {
        type: MessageType.CloseConnection,
        connectionId: client.id,
        errorMessage: '',
        headers: new Map(),
      },
    );
    expect(server.socket.isOpen).toBe(false);
    expect(client.socket.isOpen).toBe(true);
  });

  test('has to come within 15 seconds', () => {
    const edge = new TestEdge();
    const server = edge.strangeServer();
    edge.pass(14);
    expect(server.socket.isOpen).toBe(true);
    edge.pass(1);
    expect(server.socket.ended?.reason).toBe('HandshakeError');
    expect(edge.context.servers.size).toBe(0);
  });

  test('has to come within 15 seconds as a whole', () => {
    const edge = new TestEdge();
    const server = edge.strangeServer();
    const bytes = encodeServiceMessage(HANDSHAKE);
    for (let at = 0; at < 3; at++) {
      server.socket.receive(bytes.subarray(at, at + 1));
      edge.pass(5);
    }
    expect(server.socket.isOpen).toBe(false);
    expect(serverCloses(edge)).toEqual({ HandshakeError: 1 });
  });

  test('that is garbage closes the connection', () => {
    const edge = new TestEdge();
    const server = edge.strangeServer();
    server.socket.receive(Buffer.from('GET / HTTP/1.1\r\n'.repeat(10)));
    expect(serverCloses(edge)).toEqual({ HandshakeError: 1 });
  });
});

describe('frames', () => {
  test.each([
    ['a prefix that no length has', 'ff ff ff ff ff', 'bad-length'],
    ['more than 128 MiB', '81 80 80 40', 'oversized'],
  ])('with %s are refused by name, and close the connection', async (_what, hex, code) => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server);
    server.socket.receive(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    expect([...edge.context.counters.protocolErrors.entries()]).toEqual([[`server|${code}`, 1]]);
    expect(server.socket.ended).toEqual({ code: 1007, reason: 'BadRequest' });
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
    expect(client.socket.isOpen).toBe(false);
  });

  test('behind a refused one are not looked at', async () => {
    const edge = new TestEdge();
    const client = await edge.client(await edge.server());
    const server = await edge.server();
    const close = encodeServiceMessage({
      type: MessageType.CloseConnection,
      connectionId: client.id,
      errorMessage: '',
      headers: new Map(),
    });
    server.socket.receive(Buffer.concat([Buffer.alloc(5, 0xff), close]));
    expect(client.socket.isOpen).toBe(true);
  });

  test('behind a refused one are not looked at either when their peer has gone meanwhile', async () => {
    const edge = new TestEdge();
    const client = await edge.client(await edge.server());
    const server = await edge.server({ serverId: 'server-2' });
    const broadcast = {
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: payloads({ json: '{"n":1}␞' }),
    } as const;
    edge.time.lookMs = 1;
    const pings = Array.from({ length: 1_000 }, () => encodeServiceMessage(PING));
    const last = Buffer.concat([encodeServiceMessage(broadcast), Buffer.alloc(5, 0xff)]);
    server.socket.receive(Buffer.concat([...pings, last]));
    server.socket.receive(last);
    server.socket.leave(1006);
    do await turn();
    while (usedOf(edge.context.pools, 'backlog_from_servers') > 0);
    expect(client.heard).toEqual(['{"n":1}␞']);
    expect([...edge.context.counters.protocolErrors.entries()]).toEqual([['server|bad-length', 1]]);
  });

  test('with ids that nobody knows, or that only the service may say, are passed over', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    server.socket.receive(Buffer.of(2, 0x91, 99, 2, 0x91, 0x7f));
    server.socket.receive(
      encodeServiceMessage({ type: MessageType.Ack, ackId: 1, status: 1, message: '' }),
    );
    server.says(PING);
    expect(server.socket.isOpen).toBe(true);
    expect(await server.heard()).toEqual([]);
  });
});

describe('keep-alive', () => {
  test('a ping goes out every 5 seconds, whatever comes in', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    for (let second = 0; second < 21; second++) {
      edge.pass(1);
      server.says(PING);
    }
    expect(await server.heard()).toEqual([['ping'], ['ping'], ['ping'], ['ping']]);
  });

  test('silence is probed once at 6 seconds, and over at 12', async () => {
    const edge = new TestEdge();
    const server = await edge.server({ id: 'cid-9' });
    const client = await edge.client(server);
    edge.pass(5);
    expect(await server.heard()).toEqual([['ping']]);
    edge.pass(1);
    expect(await server.heard()).toEqual([['ping', 'echo', 'cid-9']]);
    edge.pass(5);
    expect(await server.heard()).toEqual([['ping']]);
    expect(server.socket.isOpen).toBe(true);
    edge.pass(1);
    expect(server.socket.cut).toBe(true);
    expect(serverCloses(edge)).toEqual({ PingTimeout: 1 });
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
    expect(client.heard).toEqual(['{"type":7,"allowReconnect":true}␞']);
  });

  test('any byte ends the silence, and the next one is probed again', async () => {
    const edge = new TestEdge();
    const server = await edge.server({ id: 'c' });
    edge.pass(11);
    server.socket.receive(encodeServiceMessage(PING).subarray(0, 1));
    edge.pass(5);
    await server.heard();
    edge.pass(1);
    expect(await server.heard()).toEqual([['ping', 'echo', 'c']]);
    edge.pass(5);
    expect(server.socket.isOpen).toBe(true);
    edge.pass(1);
    expect(server.socket.isOpen).toBe(false);
  });

  test('clients that heard nothing for 12 seconds are pinged meanwhile, others are not', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const [quiet, busy] = [await edge.client(server), await edge.client(server)];
    const binary = await edge.client(server, {
      handshake: '{"protocol":"messagepack","version":1}␞',
    });
    edge.pass(5);
    server.data(busy, HUB_PING);
    edge.pass(6);
    expect(quiet.heard).toEqual([]);
    edge.pass(5);
    expect(server.socket.isOpen).toBe(true);
    expect(quiet.heard).toEqual([HUB_PING]);
    expect(binary.socket.sent).toEqual([{ text: '\x02\x91\x06', binary: true }]);
    expect(busy.heard).toEqual([HUB_PING]);
  });

  test('clients of a server that speaks are left to its own pings', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server);
    for (let second = 0; second < 60; second++) {
      edge.pass(1);
      server.says(PING);
    }
    expect(client.heard).toEqual([]);
  });

  test('a quiet client that does not take its ping is a slow one', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const clients = [await edge.client(server), await edge.client(server)];
    clients.at(0)!.socket.answer = SendResult.Dropped;
    edge.pass(5);
    server.says(PING);
    edge.pass(11);
    expect(edge.closes).toEqual({ SlowClient: 1 });
    expect(clients.at(1)!.heard).toEqual([HUB_PING]);
  });

  test('an edge that slept blames nobody, and probes first', async () => {
    const edge = new TestEdge();
    const server = await edge.server({ id: 'c' });
    const stranger = edge.strangeServer();
    edge.pass(5);
    edge.sleep(600);
    expect(server.socket.isOpen).toBe(true);
    expect(stranger.socket.isOpen).toBe(true);
    expect(await server.heard()).toContainEqual(['ping', 'echo', 'c']);
    edge.pass(6);
    expect(serverCloses(edge)).toEqual({ PingTimeout: 1 });
    expect(stranger.socket.isOpen).toBe(true);
  });
});

describe('a full server connection', () => {
  const KB = 1024;
  /** Fills the server's queue; `drain` empties it again. */
  async function filled(): Promise<{ edge: TestEdge; server: FakeServer; client: ClientSession }> {
    const edge = new TestEdge({ hubMessageBytes: 4 * KB * KB });
    const server = await edge.server();
    const filler = await edge.client(server);
    server.socket.answer = SendResult.Queued;
    server.socket.buffered = KB * KB + 1;
    filler.says(HUB_PING);
    await server.messages();
    return { edge, server, client: filler.session };
  }

  test('takes no new clients until it has drained', async () => {
    const { edge, server } = await filled();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    expect(edge.hubs.get('chat')!.waiting.size).toBe(1);
    expect(await server.messages()).toMatchObject([
      { type: MessageType.Ping, entries: ['target', edge.context.edgeId] },
    ]);
    server.socket.buffered = 10;
    server.session.drained();
    expect(edge.hubs.get('chat')!.waiting.size).toBe(1);
    server.socket.drain();
    expect(edge.hubs.get('chat')!.waiting.size).toBe(0);
    expect(await server.heard()).toEqual([
      ['open', client.id, 'json'],
      ['data', client.id, JSON_HANDSHAKE],
    ]);
  });

  test('gives each client 256 KB, and closes who wants more, to come back', async () => {
    const { edge, server, client } = await filled();
    const say = (size: number): void => client.received(Buffer.from(`${'x'.repeat(size - 1)}\x1e`));
    say(200 * KB);
    say(56 * KB - 2 * CONNECTION_DATA_OVERHEAD);
    expect(edge.closes).toEqual({});
    say(2);
    expect(edge.closes).toEqual({ SlowAppServer: 1 });
    expect(server.socket.isOpen).toBe(true);
  });

  test('counts what a message takes in the queue, not its text alone', async () => {
    const { edge, client } = await filled();
    const short = Buffer.from('{"type":99}\x1e');
    const most = Math.floor((256 * KB) / (CONNECTION_DATA_OVERHEAD + short.length));
    for (let n = 0; n < most; n++) client.received(short);
    expect(edge.closes).toEqual({});
    client.received(short);
    expect(edge.closes).toEqual({ SlowAppServer: 1 });
  });

  test('gives 16 MB in all', async () => {
    const edge = new TestEdge({ hubMessageBytes: 4 * KB * KB });
    const server = await edge.server();
    const clients = await Promise.all(Array.from({ length: 65 }, () => edge.client(server)));
    server.socket.answer = SendResult.Queued;
    server.socket.buffered = KB * KB + 1;
    clients.at(0)!.says(HUB_PING);
    await server.messages();
    const allowance = `${'x'.repeat(256 * KB - 1 - CONNECTION_DATA_OVERHEAD)}␞`;
    for (const client of clients.slice(0, 64)) client.says(allowance);
    expect(edge.closes).toEqual({});
    clients.at(64)!.says(HUB_PING);
    expect(edge.closes).toEqual({ SlowAppServer: 1 });
    expect(clients.at(64)!.heard).toEqual([
      '{"type":7,"error":"The app server does not take messages fast enough.","allowReconnect":true}␞',
    ]);
  });

  test('gives the allowance anew each time', async () => {
    const { edge, server, client } = await filled();
    const say = (size: number): void => client.received(Buffer.from(`${'x'.repeat(size - 1)}\x1e`));
    say(250 * KB);
    server.socket.drain();
    server.socket.answer = SendResult.Queued;
    server.socket.buffered = 2 * KB * KB;
    say(250 * KB);
    await server.messages();
    say(250 * KB);
    expect(edge.closes).toEqual({});
  });

  test('that overflows is closed, once, and its clients may come back', async () => {
    const { edge, server, client } = await filled();
    server.socket.answer = SendResult.Dropped;
    client.received(Buffer.from('{"type":6}\x1e'));
    await server.heard();
    expect(server.socket.cut).toBe(true);
    expect(serverCloses(edge)).toEqual({ SlowAppServer: 1 });
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
    expect(edge.context.servers.size).toBe(0);
  });

  test('may overflow while a large message is written', async () => {
    const { edge, server, client } = await filled();
    server.socket.answer = SendResult.Dropped;
    client.received(Buffer.from(`${'x'.repeat(100 * KB)}\x1e`));
    await server.heard();
    expect(serverCloses(edge)).toEqual({ SlowAppServer: 1 });
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
  });

  test('may overflow with its goodbye', async () => {
    const { edge, server, client } = await filled();
    server.socket.answer = SendResult.Dropped;
    client.received(Buffer.from('{"type":6}\x1e'));
    server.session.close(SERVER_CLOSE_REASONS.serviceReload);
    expect(server.socket.cut).toBe(true);
    expect(serverCloses(edge)).toEqual({ SlowAppServer: 1 });
  });

  test('may overflow while a client is opened', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    server.socket.answer = SendResult.Dropped;
    const claims = JSON.stringify({ claim: 'x'.repeat(1_100_000) });
    const client = edge.strangeClient({
      introduction: { tokenPayload: claims, headers: [], queryString: '' },
    });
    client.says(`${JSON_HANDSHAKE}${HUB_PING}`);
    expect(serverCloses(edge)).toEqual({ SlowAppServer: 1 });
    expect(client.socket.isOpen).toBe(true);
    expect(edge.hubs.get('chat')!.waiting.size).toBe(1);
    const next = await edge.server({ serverId: 'server-2' });
    expect(next.session.clients).toEqual([client.session]);
    next.data(client, '{}␞');
    expect(client.heard).toEqual(['{}␞']);
  });
});

test('what was written before a close still goes out', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  const client = await edge.client(server);
  client.says(HUB_PING);
  server.session.close(SERVER_CLOSE_REASONS.serviceReload);
  expect(server.socket.ended).toEqual({ code: 1001, reason: 'ServiceReload' });
  expect(await server.heard()).toEqual([['data', client.id, HUB_PING]]);
});

test('an app server is told that the edge stops, once it knows the edge', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  server.session.stop();
  expect(server.socket.ended).toEqual({ code: 1001, reason: 'ServiceReload' });
  expect(await server.messages()).toMatchObject([{ type: MessageType.ServiceEvent, kind: 0 }]);
  const stranger = edge.strangeServer();
  stranger.session.stop();
  expect(stranger.socket.ended).toEqual({ code: 1001, reason: 'ServiceReload' });
  expect(await stranger.messages()).toEqual([]);
});

test('data of many clients shares a frame, and the large goes by itself', async () => {
  const edge = new TestEdge({ hubMessageBytes: 1_000_000 });
  const server = await edge.server();
  const clients = [await edge.client(server), await edge.client(server)];
  const before = server.socket.bytes.length;
  const large = `${'x'.repeat(100_000)}␞`;
  clients.at(0)!.says(HUB_PING);
  clients.at(1)!.says(HUB_PING);
  expect(await server.heard()).toEqual(clients.map(({ id }) => ['data', id, HUB_PING]));
  expect(server.socket.bytes).toHaveLength(before + 1);
  clients.at(0)!.says(large);
  clients.at(1)!.says(HUB_PING);
  expect(await server.heard()).toEqual([
    ['data', clients.at(0)!.id, large],
    ['data', clients.at(1)!.id, HUB_PING],
  ]);
  expect(server.socket.bytes).toHaveLength(before + 4);
  expect(server.socket.sent.every(({ binary }) => binary)).toBe(true);
});

test('clients leave in any order, and the others stay', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  const clients: FakeClient[] = [];
  for (let i = 0; i < 5; i++) clients.push(await edge.client(server));
  for (const leaving of [0, 0, 1, 1, 0]) {
    const [gone] = clients.splice(leaving, 1);
    gone?.socket.leave(1000);
    expect(await server.heard()).toEqual([['close', gone?.id, '']]);
    const left = server.session.clients.map(({ id }) => id);
    expect(left.toSorted()).toEqual(clients.map(({ id }) => id).toSorted());
  }
});

test('a weak connection may do all but carry clients', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  const client = await edge.client(server);
  const weak = edge.strangeServer({ serverId: 'server-2' });
  weak.shakesHands(2);
  weak.says({
    type: MessageType.BroadcastData,
    excludedConnectionIds: [],
    payloads: payloads({ JSON: '{"n":1}␞' }),
  });
  expect(client.heard).toEqual(['{"n":1}␞']);
});
