import { MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import { Pools } from '../../pools.ts';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import {
  JSON_HANDSHAKE,
  MESSAGEPACK_HANDSHAKE,
  payloads,
  TestEdge,
  usedOf,
} from '../fixtures.test-support.ts';
import { wire } from '../wire.test-support.ts';

const CALL = '{"type":1,"target":"a","arguments":[]}␞';
const CANCELED = '{"error":"Handshake was canceled."}␞';
const NO_SERVER = '{"error":"No app server is connected for this hub. Try again later."}␞';
const EARLY_BYTES = 64 * 1024;
const HELD_BYTES = 1024 * 1024;

describe('the handshake request', () => {
  test('opens the client at its server, then goes there as it came', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient({
      introduction: {
        tokenPayload: '{"nameid":"ann"}',
        headers: ['x-forwarded-for: 127.0.0.1', 'user-agent: '],
        queryString: '?a=b',
      },
    });
    client.says(JSON_HANDSHAKE);
    const [open, data] = await server.messages();
    expect(open).toEqual({
      type: MessageType.OpenConnection,
      connectionId: client.id,
      claims: [
        ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier', 'ann'],
        ['nameid', 'ann'],
      ],
      headers: new Map([
        ['x-forwarded-for', ['127.0.0.1']],
        ['user-agent', ['']],
        ['Asrs-Instance-Id', ['edge-1']],
        ['Asrs-Transport', ['WebSockets']],
      ]),
      queryString: '?a=b',
      protocol: 'json',
    });
    expect(data).toMatchObject({ type: MessageType.ConnectionData, connectionId: client.id });
  });

  test('may come byte by byte', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient();
    for (const character of JSON_HANDSHAKE) client.says(character);
    expect(await server.heard()).toEqual([
      ['open', client.id, 'json'],
      ['data', client.id, JSON_HANDSHAKE],
    ]);
  });

  test('may have messages behind it, whole and in part', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient();
    client.says(`${JSON_HANDSHAKE}${CALL}${CALL}{"type"`);
    client.says(':6}␞');
    expect(await server.heard()).toEqual([
      ['open', client.id, 'json'],
      ['data', client.id, JSON_HANDSHAKE],
      ['data', client.id, CALL + CALL],
      ['data', client.id, '{"type":6}␞'],
    ]);
  });

  test.each([
    ['{"protocol":"JSON","version":1}␞', 'json'],
    ['{"protocol":"messagepack","version":1}␞', 'messagepack'],
    ['{"protocol":"blazorpack","version":1}␞', 'blazorpack'],
    ['{"version":2,"extra":1,"protocol":"zzz"}␞', 'zzz'],
  ])('%s names the protocol %s', async (request, protocol) => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient();
    client.says(request);
    expect(await server.heard()).toEqual([
      ['open', client.id, protocol],
      ['data', client.id, request],
    ]);
  });

  test.each([
    [
      'not JSON',
      'hello␞',
      '{"error":"An unexpected error occurred during connection handshake."}␞',
    ],
    [
      'no handshake',
      '{"type":6}␞',
      '{"error":"An unexpected error occurred during connection handshake."}␞',
    ],
    ['longer than 4096 bytes', `{"protocol":"${'x'.repeat(5000)}"}␞`, CANCELED],
    ['without an end', 'x'.repeat(4096), CANCELED],
  ])('that is %s is refused', async (_what, request, answer) => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient();
    client.says(request);
    expect(client.socket.sent).toEqual([{ text: answer, binary: false }]);
    expect(client.socket.ended?.code).toBe(1000);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
    expect(await server.heard()).toEqual([]);
  });

  test.each([1, 15, 30])('has to come within the %s seconds that its token gives', (seconds) => {
    const edge = new TestEdge();
    const client = edge.strangeClient({ handshakeMs: seconds * 1000 });
    client.says('{"protocol"');
    edge.pass(seconds - 1);
    expect(client.socket.isOpen).toBe(true);
    edge.pass(1);
    expect(client.heard).toEqual([CANCELED]);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
  });

  test('with more behind it than may wait closes the client, and nobody else', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient();
    client.says(`${JSON_HANDSHAKE}${'x'.repeat(EARLY_BYTES + 1)}`);
    expect(client.socket.isOpen).toBe(false);
    expect(edge.closes).toEqual({ BadRequest: 1 });
    expect(await server.heard()).toEqual([]);
    expect(edge.hubs.get('chat')!.waiting.size).toBe(0);
  });
});

describe('without a server connection', () => {
  test('the client waits 10 seconds, then is told why it must go', () => {
    const edge = new TestEdge();
    const client = edge.strangeClient();
    edge.pass(3);
    client.says(JSON_HANDSHAKE);
    edge.pass(9);
    expect(client.heard).toEqual([]);
    edge.pass(1);
    expect(client.socket.sent).toEqual([{ text: NO_SERVER, binary: false }]);
    expect(client.socket.ended?.code).toBe(1000);
    expect(edge.closes).toEqual({ NoAvailableServerConnection: 1 });
    expect(edge.hubs.get('chat')!.waiting.size).toBe(0);
  });

  test('a client of a binary protocol is told in text as well: its protocol has not begun', () => {
    const edge = new TestEdge();
    const client = edge.strangeClient();
    client.says(MESSAGEPACK_HANDSHAKE);
    edge.pass(10);
    expect(client.socket.sent).toEqual([{ text: NO_SERVER, binary: false }]);
  });

  test('the waiting time is a setting', () => {
    const edge = new TestEdge({ serverWaitMs: 2000 });
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    edge.pass(2);
    expect(edge.closes).toEqual({ NoAvailableServerConnection: 1 });
    expect(client.socket.isOpen).toBe(false);
  });

  test('a server that comes meanwhile takes the client, with all that it has said', async () => {
    const edge = new TestEdge();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE + CALL.slice(0, 9));
    client.says(CALL.slice(9));
    edge.pass(9);
    const server = await arriving(edge);
    expect(await server.heard()).toEqual([
      ['handshake', ''],
      ['open', client.id, 'json'],
      ['data', client.id, JSON_HANDSHAKE],
      ['data', client.id, CALL],
    ]);
    expect(edge.context.counters.bytesFromClients).toBe(wire(JSON_HANDSHAKE + CALL).length);
    edge.pass(9);
    server.data(client, '{}␞');
    edge.pass(11);
    expect(client.heard).toEqual(['{}␞']);
    expect(client.socket.isOpen).toBe(true);
  });

  test('weak connections and those of other hubs are none', async () => {
    const edge = new TestEdge();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    const weak = edge.strangeServer();
    weak.shakesHands(2);
    const other = await edge.server({ hub: 'other' });
    expect(await weak.heard()).toEqual([['handshake', '']]);
    expect(await other.heard()).toEqual([]);
    edge.pass(10);
    expect(edge.closes).toEqual({ NoAvailableServerConnection: 1 });
  });

  test('a client that goes while it waits is forgotten', async () => {
    const edge = new TestEdge();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    client.socket.leave(1005);
    const server = await arriving(edge);
    expect(await server.heard()).toEqual([['handshake', '']]);
    expect(edge.closes).toEqual({ Normal: 1 });
  });

  test('more than may wait closes the client', async () => {
    const edge = new TestEdge();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    client.says('x'.repeat(EARLY_BYTES));
    expect(client.socket.isOpen).toBe(true);
    client.says('x');
    expect(client.socket.isOpen).toBe(false);
    expect(edge.closes).toEqual({ BadRequest: 1 });
    expect(await (await arriving(edge)).heard()).toEqual([['handshake', '']]);
  });
});

describe('until the handshake response is written', () => {
  const direct = (client: FakeClient, json: string) =>
    ({
      type: MessageType.MultiConnectionData,
      connectionIds: [client.id],
      payloads: payloads({ json }),
    }) as const;

  test('whatever is for the client is held, and delivered in order behind it', async () => {
    const { edge, server, client } = await opening({ userId: 'ann' });
    const say = (n: number) => ({ payloads: payloads({ json: `{"n":${n}}␞` }) });
    const { id: connectionId } = client;
    server.says(
      direct(client, '{"n":1}␞'),
      { type: MessageType.BroadcastData, excludedConnectionIds: [], ...say(2) },
      { type: MessageType.BroadcastData, excludedConnectionIds: [connectionId], ...say(0) },
      { type: MessageType.JoinGroup, connectionId, group: 'g' },
      { type: MessageType.MultiGroupBroadcastData, groups: ['g'], ...say(3) },
      { type: MessageType.UserData, userId: 'ann', ...say(4) },
      {
        type: MessageType.ClientInvocation,
        invocationId: 'i',
        connectionId,
        callerServerId: 'server-1',
        ...say(5),
      },
    );
    expect(client.heard).toEqual([]);
    server.data(client, '{}␞');
    server.says(direct(client, '{"n":6}␞'));
    expect(client.heard).toEqual(['{}␞', '{"n":1}␞{"n":2}␞{"n":3}␞{"n":4}␞{"n":5}␞', '{"n":6}␞']);
    const { heldMessages, skippedNotReady, messagesToClients } = edge.context.counters;
    expect({ heldMessages, skippedNotReady, messagesToClients }).toEqual({
      heldMessages: 5,
      skippedNotReady: 0,
      messagesToClients: 6,
    });
  });

  test('each waiting client holds what its hub protocol has, in one copy for all of those', async () => {
    const { edge, server, client } = await opening();
    const clients = [client];
    for (const handshake of [MESSAGEPACK_HANDSHAKE, JSON_HANDSHAKE, MESSAGEPACK_HANDSHAKE]) {
      clients.push(edge.strangeClient());
      clients.at(-1)!.says(handshake);
    }
    const body = 'x'.repeat(10_000);
    server.says({
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: payloads({ json: `"${body}"␞`, messagepack: `\xda\x27\x10${body}` }),
    });
    const held = (): number => usedOf(edge.context.pools, 'opening_clients');
    expect(held()).toBeGreaterThan(20_000);
    expect(held()).toBeLessThan(20_500);
    clients.pop()!.socket.leave(1005);
    for (const one of clients) server.data(one, '{}␞');
    expect(clients.map((one) => one.heard[1]?.slice(0, 3))).toEqual(['"xx', '\xda\x27\x10', '"xx']);
    expect(held()).toBe(0);
  });

  test('before a server connection has the client, it is no member of anything', async () => {
    const edge = new TestEdge();
    const client = edge.strangeClient({ userId: 'ann' });
    client.says(JSON_HANDSHAKE);
    const weak = edge.strangeServer();
    weak.shakesHands(2);
    await weak.messages();
    const json = payloads({ json: '{"n":1}␞' });
    const { id: connectionId } = client;
    weak.says(
      direct(client, '{"n":1}␞'),
      { type: MessageType.BroadcastData, excludedConnectionIds: [], payloads: json },
      { type: MessageType.UserData, userId: 'ann', payloads: json },
      { type: MessageType.CheckConnectionExistenceWithAck, connectionId, ackId: 1 },
      { type: MessageType.CheckUserExistenceWithAck, userId: 'ann', ackId: 2 },
      { type: MessageType.JoinGroupWithAck, connectionId, group: 'g', ackId: 3 },
      { type: MessageType.UserJoinGroupWithAck, userId: 'ann', group: 'of ann', ttl: 60, ackId: 4 },
    );
    expect(await weak.heard()).toEqual([
      ['ack', 1, 2],
      ['ack', 2, 2],
      ['ack', 3, 2],
      ['ack', 4, 1],
    ]);
    const server = await edge.server();
    weak.says(
      { type: MessageType.CheckUserExistenceWithAck, userId: 'ann', ackId: 5 },
      { type: MessageType.CheckUserInGroupWithAck, userId: 'ann', group: 'of ann', ackId: 6 },
    );
    expect(await weak.heard()).toEqual([
      ['ack', 5, 1],
      ['ack', 6, 1],
    ]);
    server.data(client, '{}␞');
    expect(client.heard).toEqual(['{}␞']);
  });

  test('a client that starts over at another server has left its groups, and what was held', async () => {
    const { edge, server, client } = await opening();
    const json = payloads({ json: '{"n":1}␞' });
    const { id: connectionId } = client;
    server.says(
      { type: MessageType.JoinGroup, connectionId, group: 'g' },
      {
        type: MessageType.GroupBroadcastData,
        group: 'g',
        excludedConnectionIds: [],
        excludedUserIds: [],
        callerUserId: undefined,
        payloads: json,
      },
    );
    expect(edge.context.counters.heldMessages).toBe(1);
    server.socket.leave(1006);
    const next = await edge.server({ serverId: 'server-2' });
    next.says({ type: MessageType.CheckGroupExistenceWithAck, group: 'g', ackId: 1 });
    expect(await next.heard()).toEqual([['ack', 1, 2]]);
    expect(usedOf(edge.context.pools, 'opening_clients')).toBe(0);
    next.data(client, '{}␞');
    expect(client.heard).toEqual(['{}␞']);
  });

  test('a client that has said more than its handshake does not, even if no server was told', async () => {
    const { edge, server, client } = await opening();
    client.says('{"type":8,"sequenceId":1}␞');
    server.socket.leave(1006);
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
  });

  test('more held than may be closes the client as a slow one', async () => {
    const { edge, server, client } = await opening();
    const json = 'x'.repeat(HELD_BYTES / 2 - 16);
    server.says(direct(client, json), direct(client, json));
    expect(client.socket.isOpen).toBe(true);
    server.says(direct(client, ''));
    expect(client.socket.cut).toBe(true);
    expect(edge.closes).toEqual({ SlowClient: 1 });
  });

  test('when too much is held for all, those who hold most are closed as slow ones', async () => {
    const pools = new Pools({ opening_clients: { share: 1000, total: 1600 } });
    const edge = new TestEdge({}, { pools });
    const server = await edge.server();
    const [few, most, more] = Array.from({ length: 3 }, () => edge.strangeClient());
    for (const client of [few, most, more]) client!.says(JSON_HANDSHAKE);
    server.says(direct(few!, 'x'.repeat(84)), direct(most!, 'x'.repeat(884)));
    server.says(direct(more!, 'x'.repeat(584)));
    expect(usedOf(pools, 'opening_clients')).toBe(1600);
    expect(edge.closes).toEqual({});
    server.says(direct(few!, ''));
    expect(edge.closes).toEqual({ SlowClient: 1 });
    expect([few, most, more].map((client) => client!.socket.cut)).toEqual([false, true, false]);
    expect(usedOf(pools, 'opening_clients')).toBe(716);
  });

  test('a client that takes none of the held messages is closed, and only it', async () => {
    const { edge, server, client } = await opening();
    server.says(direct(client, '{"n":1}␞'), direct(client, '{"n":2}␞'));
    client.socket.answer = 2;
    server.data(client, '{}␞{"type":6}␞');
    expect(client.socket.cut).toBe(true);
    expect(edge.closes).toEqual({ SlowClient: 1 });
    expect(server.socket.isOpen).toBe(true);
  });

  test('held messages that fill up the queue close the client once', async () => {
    const { edge, server, client } = await opening();
    server.says(direct(client, '{"n":1}␞'), direct(client, '{"n":2}␞'));
    const { send } = client.socket;
    client.socket.send = (bytes, binary) => {
      const result = send.call(client.socket, bytes, binary);
      client.socket.answer = 2;
      return result;
    };
    server.data(client, '{}␞{"type":6}␞');
    expect(client.heard).toEqual(['{}␞']);
    expect(client.socket.cut).toBe(true);
    expect(edge.closes).toEqual({ SlowClient: 1 });
  });
});

describe('the handshake response', () => {
  test('may have messages behind it in one payload', async () => {
    const { server, client } = await opening();
    server.data(client, '{}␞{"type":3,"invocationId":"1"}␞{"type":6}␞{"type"');
    server.data(client, ':6}␞');
    expect(client.heard).toEqual([
      '{}␞',
      '{"type":3,"invocationId":"1"}␞{"type":6}␞',
      '{"type":6}␞',
    ]);
  });

  test('of a binary protocol is sent as binary, of a text protocol as text', async () => {
    const text = await opening();
    text.server.data(text.client, '{}␞');
    expect(text.client.socket.sent).toEqual([{ text: '{}␞', binary: false }]);
    const binary = await opening({}, MESSAGEPACK_HANDSHAKE);
    binary.server.data(binary.client, '{}␞\x02\x91\x06');
    expect(binary.client.socket.sent).toEqual([
      { text: '{}␞', binary: true },
      { text: '\x02\x91\x06', binary: true },
    ]);
  });

  test('that refuses is passed on, and the close that follows is a handshake error', async () => {
    const { edge, server, client } = await opening();
    const refusal = '{"error":"The protocol \'json\' is not supported."}␞';
    server.data(client, refusal);
    expect(client.heard).toEqual([refusal]);
    expect(client.socket.isOpen).toBe(true);
    server.says({
      type: MessageType.MultiConnectionData,
      connectionIds: [client.id],
      payloads: payloads({ json: '{"n":1}␞' }),
    });
    server.closes(client);
    expect(client.heard).toEqual([refusal]);
    expect(client.socket.ended?.code).toBe(1000);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
    expect(await server.heard()).toEqual([]);
  });

  test('whatever follows a refusal never reaches the client', async () => {
    const { edge, server, client } = await opening();
    server.data(client, '{"error":"no"}␞');
    server.data(client, '{"type":7}␞');
    server.closes(client);
    expect(client.heard).toEqual(['{"error":"no"}␞']);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
  });

  test('has to come within 15 seconds', async () => {
    const { edge, server, client } = await opening();
    for (let i = 0; i < 14; i++) {
      server.says({ type: MessageType.Ping, entries: [] });
      edge.pass(1);
    }
    expect(client.socket.isOpen).toBe(true);
    server.says({ type: MessageType.Ping, entries: [] });
    await server.messages();
    edge.pass(1);
    expect(client.heard).toEqual([CANCELED]);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
    expect(await server.heard()).toContainEqual(['close', client.id, '']);
  });

  test('that is none closes the client and tells the server', async () => {
    const { edge, server, client } = await opening();
    server.data(client, '{"type":6}␞');
    expect(client.heard).toEqual(['{"error":"Connection closed with an error."}␞']);
    expect(edge.closes).toEqual({ BadServerData: 1 });
    expect(await server.heard()).toEqual([['close', client.id, '']]);
  });

  test('a close in its place is told as the reason', async () => {
    const { edge, server, client } = await opening();
    server.closes(client, 'full house');
    expect(client.heard).toEqual(['{"error":"full house"}␞']);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
  });
});

test('an edge that slept does not blame its clients for being late', async () => {
  const edge = new TestEdge();
  const client = edge.strangeClient();
  edge.pass(1);
  edge.sleep(60);
  expect(client.socket.isOpen).toBe(true);
  const server = await edge.server();
  client.says(JSON_HANDSHAKE);
  edge.sleep(60);
  server.data(client, '{}␞');
  expect(client.heard).toEqual(['{}␞']);
  expect(edge.closes).toEqual({});
});

/** A server connection that has just shaken hands; nothing it was sent has been read. */
async function arriving(edge: TestEdge): Promise<FakeServer> {
  const server = edge.strangeServer();
  server.shakesHands();
  return server;
}

/** A client whose server has been sent its handshake request. */
async function opening(
  identity: Parameters<TestEdge['strangeClient']>[0] = {},
  handshake = JSON_HANDSHAKE,
): Promise<{ edge: TestEdge; server: FakeServer; client: FakeClient }> {
  const edge = new TestEdge();
  const server = await edge.server();
  const client = edge.strangeClient(identity);
  client.says(handshake);
  await server.messages();
  return { edge, server, client };
}
