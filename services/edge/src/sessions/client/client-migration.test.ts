import { encodeErrorCompletion, MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { Pools } from '../../pools.ts';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import {
  counted,
  JSON_HANDSHAKE,
  MESSAGEPACK_HANDSHAKE,
  payloads,
  readable,
  TestEdge,
  usedOf,
  wire,
} from '../fixtures.test-support.ts';
import { TRANSPORTS } from '../transport.ts';

const PING = '{"type":6}␞';
const HUB_CLOSE = '{"type":7,"allowReconnect":true}␞';
const SEND = '{"type":1,"target":"a","arguments":[]}␞';
const call = (id: number | string): string =>
  `{"type":1,"invocationId":"${id}","target":"a","arguments":[]}␞`;
const done = (id: number | string): string => `{"type":3,"invocationId":"${id}","result":1}␞`;
const LOST = 'The app server was lost while it worked on this call, which may have run or not.';
const CUT = 'The app server is stopping, and this call did not end in time.';
const failed = (id: number | string, error = LOST): string =>
  readable(encodeErrorCompletion(false, String(id), error));

let edge: TestEdge;
let a: FakeServer;

beforeEach(async () => {
  edge = new TestEdge({ migration: 'always' });
  a = await edge.server({ serverId: 'a' });
});

const outcomes = (): Record<string, number> => counted(edge.context.counters.migrations);
const lose = (server: FakeServer): void => server.socket.leave(1006);
const leave = (server: FakeServer): void =>
  server.says({ type: MessageType.Ping, entries: ['shutdown', 'fin:1'] });

/** What the server was told of the client: its introduction in short, then the data, joined. */
async function told(server: FakeServer, client: FakeClient): Promise<unknown[]> {
  const mine = (await server.messages()).filter(
    (message) => 'connectionId' in message && message.connectionId === client.id,
  );
  return mine.map((message) => {
    if (message.type === MessageType.ConnectionData) return readable(message.payload);
    const headers = 'headers' in message ? message.headers : new Map<string, string[]>();
    return [message.type, headers.get('Asrs-Migrate-From') ?? headers.get('Asrs-Migrate-To')];
  });
}

const opened = (from: string): unknown[] => [[MessageType.OpenConnection, [from]], JSON_HANDSHAKE];

/** Moves, and nothing is left over. */
function expectNothingHeld(): void {
  expect(usedOf(edge.context.pools, 'moving_clients')).toBe(0);
  expect(edge.context.unsettled.size).toBe(0);
  expect(edge.hubs.get('chat')!.waiting.size).toBe(0);
}

describe('a server connection is lost', () => {
  test('its clients are given to another process at once, which hears the handshake again', async () => {
    const client = await edge.client(a, {
      introduction: { tokenPayload: '{"sub":"ann"}', headers: ['x-tag: 1'], queryString: '?q=1' },
    });
    const b = await edge.server({ serverId: 'b' });
    lose(a);
    const [open, handshake] = await b.messages();
    expect(open).toMatchObject({
      type: MessageType.OpenConnection,
      connectionId: client.id,
      protocol: 'json',
      queryString: '?q=1',
    });
    expect(open && 'headers' in open && open.headers).toEqual(
      new Map([
        ['x-tag', ['1']],
        ['Asrs-Instance-Id', ['edge-1']],
        ['Asrs-Transport', ['WebSockets']],
        ['Asrs-Migrate-From', ['a']],
      ]),
    );
    expect(handshake).toMatchObject({ payload: wire(JSON_HANDSHAKE) });
    client.says(call(1));
    b.data(client, done(1));
    expect(await told(b, client)).toEqual([call(1)]);
    expect(client.heard).toEqual([done(1)]);
    expect(outcomes()).toEqual({ moved_after_loss: 1 });
    expectNothingHeld();
  });

  test('calls and streams that ran are answered with an error, each once', async () => {
    const client = await edge.client(a);
    const b = await edge.server({ serverId: 'b' });
    client.says(call(1) + call('x') + '{"type":4,"invocationId":"3","target":"s","arguments":[]}␞');
    a.data(client, done(1));
    lose(a);
    expect(client.heard).toEqual([done(1), failed(3), failed('x')]);
    expect(edge.context.counters.failedCalls).toBe(2);
    client.says(call(4));
    lose(b);
    expect(client.heard.slice(3)).toEqual([failed(4)]);
  });

  test('a client that speaks MessagePack is answered in it', async () => {
    const client = await edge.client(a, { handshake: MESSAGEPACK_HANDSHAKE });
    await edge.server({ serverId: 'b' });
    client.socket.receive(Buffer.of(7, 0x95, 1, 0x80, 0xa1, 0x37, 0xa0, 0x90));
    lose(a);
    expect(client.socket.bytes.at(-1)).toEqual(Buffer.from(encodeErrorCompletion(true, '7', LOST)));
  });

  test('unfinished messages: the rest of one of its own is kept, that of the server dropped', async () => {
    const client = await edge.client(a);
    const next = await edge.server({ serverId: 'b' });
    client.says(call(1) + call(2).slice(0, 9));
    a.data(client, '{"type":3,"invoc');
    lose(a);
    next.data(client, PING);
    client.says(call(2).slice(9));
    expect(await told(next, client)).toEqual([...opened('a'), call(2)]);
    expect(client.heard).toEqual([failed(1), PING]);
  });

  test('who waits for a result of the client is told; who is asked later hears of the client', async () => {
    const client = await edge.client(a);
    const other = await edge.server({ serverId: 'b' });
    const ask = {
      type: MessageType.ClientInvocation,
      invocationId: 'i',
      connectionId: client.id,
      callerServerId: 'b',
      payloads: payloads({ json: SEND }),
    } as const;
    other.says(ask);
    other.session.drain();
    lose(a);
    expect(await other.messages()).toMatchObject([
      { type: MessageType.ErrorCompletion, error: `Connection '${client.id}' disconnected.` },
    ]);
    other.says({ ...ask, invocationId: 'j' });
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        error: `Connection '${client.id}' waits for an app server.`,
      },
    ]);
  });

  test.each(['webSockets', 'serverSentEvents', 'longPolling'] as const)(
    'a client by %s moves as well',
    async (label) => {
      const client = await edge.client(a, { transport: TRANSPORTS[label] });
      const other = await edge.server({ serverId: 'b' });
      lose(a);
      client.says(SEND);
      expect(await told(other, client)).toEqual([...opened('a'), SEND]);
    },
  );

  test('one that was silent for long hears a ping of the edge; one that was not, none', async () => {
    const [quiet, lively] = [await edge.client(a), await edge.client(a)];
    await edge.server({ serverId: 'b' });
    for (let second = 0; second < 12; second++) {
      edge.pass(1);
      for (const { session } of edge.servers) session.received(Buffer.of(2, 0x91, 3));
    }
    a.data(lively, done(1));
    lose(a);
    expect(quiet.heard).toEqual([PING]);
    expect(lively.heard).toEqual([done(1)]);
  });
});

describe('without another process', () => {
  test('what the client says is held, and given to the first that comes', async () => {
    const client = await edge.client(a);
    lose(a);
    client.says(call(1));
    client.says(SEND + call(2).slice(0, 5));
    client.says(call(2).slice(5));
    edge.pass(9);
    const next = await edge.server({ serverId: 'b' });
    client.says(call(3));
    next.data(client, done(1) + done(2) + done(3));
    expect(client.heard).toEqual([done(1) + done(2) + done(3)]);
    expectNothingHeld();
  });

  test('it is closed, to reconnect, after the waiting time', async () => {
    const client = await edge.client(a);
    lose(a);
    client.says(call(1));
    edge.pass(9);
    expect(client.socket.isOpen).toBe(true);
    edge.pass(1);
    expect(client.heard).toEqual([HUB_CLOSE]);
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
    expect(outcomes()).toEqual({ no_server: 1 });
    expectNothingHeld();
  });

  test('it hears a ping of the edge every 12 s meanwhile', async () => {
    edge = new TestEdge({ migration: 'always', serverWaitMs: 60_000 });
    const server = await edge.server({ serverId: 'a' });
    const client = await edge.client(server);
    edge.pass(1);
    server.data(client, PING);
    lose(server);
    edge.pass(11);
    expect(client.heard).toEqual([PING]);
    edge.pass(1);
    expect(client.heard).toEqual([PING, PING]);
    edge.pass(12);
    expect(client.heard).toEqual([PING, PING, PING]);
  });

  test('the time during which the edge slept does not count', async () => {
    const client = await edge.client(a);
    lose(a);
    edge.sleep(60);
    expect(client.socket.isOpen).toBe(true);
  });

  test('one that says too much meanwhile is closed, and its bytes are given back', async () => {
    const client = await edge.client(a);
    lose(a);
    const big = `"${'x'.repeat(60 * 1024)}"␞`;
    for (let i = 0; i < 4; i++) client.says(big);
    expect(client.socket.isOpen).toBe(true);
    client.says(big);
    expect(edge.closes).toEqual({ SlowAppServer: 1 });
    expectNothingHeld();
  });

  test('when all say too much together, the one that has said most is closed', async () => {
    const pools = new Pools({ moving_clients: { share: 1000, total: 1400 } });
    edge = new TestEdge({ migration: 'always' }, { pools });
    const server = await edge.server({ serverId: 'a' });
    const [few, most] = [await edge.client(server), await edge.client(server)];
    lose(server);
    most.says(`"${'x'.repeat(900)}"␞`);
    for (let i = 0; i < 4; i++) few.says(`"${'x'.repeat(97)}"␞`);
    expect(usedOf(pools, 'moving_clients')).toBe(1303);
    few.says(`"${'y'.repeat(97)}"␞`);
    expect(most.socket.isOpen).toBe(false);
    expect(edge.closes).toEqual({ SlowAppServer: 1 });
    expect([few.socket.isOpen, usedOf(pools, 'moving_clients')]).toEqual([true, 500]);
    const next = await edge.server({ serverId: 'b' });
    expect(few.session.host).toBe(next.session);
    expectNothingHeld();
  });

  test('one that leaves meanwhile is forgotten', async () => {
    const client = await edge.client(a);
    lose(a);
    client.says(call(1));
    client.socket.leave(1000);
    expectNothingHeld();
    const next = await edge.server({ serverId: 'b' });
    expect(next.session.clients).toEqual([]);
    expect(outcomes()).toEqual({});
  });

  test('one whose next server is lost too waits anew, and its calls there are answered', async () => {
    const client = await edge.client(a);
    lose(a);
    client.says(call(1));
    edge.pass(9);
    const next = await edge.server({ serverId: 'b' });
    lose(next);
    expect(client.heard).toEqual([failed(1)]);
    edge.pass(9);
    const third = await edge.server({ serverId: 'c' });
    expect(client.session.host).toBe(third.session);
    expect(outcomes()).toEqual({ moved_after_loss: 2 });
  });

  test('one whose next server cannot take what was held is closed', async () => {
    const client = await edge.client(a);
    lose(a);
    client.says(`"${'x'.repeat(60 * 1024)}"␞`.repeat(2));
    const next = edge.strangeServer({ serverId: 'b' });
    next.socket.answer = 2;
    next.shakesHands();
    expect(client.socket.isOpen).toBe(false);
    expect(outcomes()).toEqual({ not_possible: 1 });
    expectNothingHeld();
  });
});

describe('the same process', () => {
  test('has the client back when it has replaced what it lost, not before', async () => {
    const sibling = await edge.server({ serverId: 'a' });
    const client = await edge.client(a);
    lose(a);
    expect(client.session.host).toBeUndefined();
    await edge.server({ serverId: 'a' });
    expect(client.session.host?.serverId).toBe('a');
    expect(sibling.session.isOpen).toBe(true);
  });

  test('that lost two must replace both: which one a new connection replaces is not said', async () => {
    const sibling = await edge.server({ serverId: 'a' });
    const client = await edge.client(a);
    lose(a);
    lose(sibling);
    await edge.server({ serverId: 'a' });
    expect(client.session.host).toBeUndefined();
    await edge.server({ serverId: 'a' });
    expect(client.session.host?.serverId).toBe('a');
  });

  test('is not given one it has lost before by another way round', async () => {
    const sibling = await edge.server({ serverId: 'a' });
    const client = await edge.client(a);
    const other = await edge.server({ serverId: 'b' });
    lose(a);
    expect(client.session.host).toBe(other.session);
    lose(other);
    expect(client.session.host).toBeUndefined();
    expect(sibling.session.takesClients).toBe(true);
  });

  test('takes those of another at once, whatever it has lost itself', async () => {
    const client = await edge.client(a);
    const [lost, left] = [
      await edge.server({ serverId: 'b' }),
      await edge.server({ serverId: 'b' }),
    ];
    lose(lost);
    lose(a);
    expect(client.session.host).toBe(left.session);
  });

  describe('of software that is known to starve it', () => {
    const old = { serverId: 'a', userAgent: 'Microsoft.Azure.SignalR/1.15.2+x (.NET 6.0)' };

    beforeEach(async () => {
      edge = new TestEdge({ migration: 'always' });
      a = await edge.server(old);
    });

    test('does not have it back when it has replaced what it lost', async () => {
      const client = await edge.client(a);
      lose(a);
      await edge.server(old);
      expect(client.session.host).toBeUndefined();
      edge.pass(10);
      expect(client.heard).toEqual([HUB_CLOSE]);
      expect(outcomes()).toEqual({ no_server: 1 });
    });

    test('nor by another way round', async () => {
      const client = await edge.client(a);
      const other = await edge.server({ serverId: 'b' });
      lose(a);
      await edge.server(old);
      lose(other);
      expect(client.session.host).toBeUndefined();
    });
  });
});

describe('a client with affinity', () => {
  test('Preferred moves to another server', async () => {
    const client = await edge.client(a, { affinity: { sticky: 'Preferred', serverName: 'a' } });
    const other = await edge.server({ serverId: 'b' });
    lose(a);
    expect(client.session.host).toBe(other.session);
  });
});

describe('a server that stops', () => {
  let b: FakeServer;
  let client: FakeClient;

  beforeEach(async () => {
    client = await edge.client(a);
    b = await edge.server({ serverId: 'b' });
  });

  test('the client is taken from it with a word of where to, then given to the other', async () => {
    leave(a);
    client.says(SEND);
    expect(await told(a, client)).toEqual([[MessageType.CloseConnection, ['b']]]);
    expect(await told(b, client)).toEqual([...opened('a'), SEND]);
    a.data(client, PING);
    expect(client.heard).toEqual([]);
    expect(outcomes()).toEqual({ moved: 1 });
    expectNothingHeld();
  });

  test('new calls are held while those that run go on, uploads and answers among them', async () => {
    client.says(call(1));
    leave(a);
    const held = `${call(2)}${SEND}{"type":2,"invocationId":"u","item":0}␞`;
    const passes = ['{"type":2,"invocationId":"9","item":1}␞', done('s1'), PING];
    client.says(call(2).replace('[]', '[],"streamIds":["u"]'));
    client.says(SEND);
    client.says(passes.join(''));
    client.says('{"type":2,"invocationId":"u","item":0}␞');
    expect(await told(a, client)).toEqual([call(1), ...passes]);
    expect(await told(b, client)).toEqual([]);
    a.data(client, done(1));
    expect((await told(b, client)).at(-1)).toBe(held.replace('[]', '[],"streamIds":["u"]'));
    expect(client.heard).toEqual([done(1)]);
    expectNothingHeld();
  });

  test('a result that it awaits of the client is waited for', async () => {
    const id = { connectionId: client.id, invocationId: 'i', callerServerId: 'a' };
    a.says({ type: MessageType.ClientInvocation, ...id, payloads: payloads({ json: SEND }) });
    leave(a);
    client.says(done('i'));
    expect(client.session.host).toBe(a.session);
    expect(await told(a, client)).toEqual([done('i')]);
    const payload = new Uint8Array(0);
    a.says({ type: MessageType.ClientCompletion, ...id, protocol: 'json', payload });
    edge.pass(1);
    expect(client.session.host).toBe(b.session);
  });

  test('a message it has begun is waited for', async () => {
    a.data(client, '{"type":1,');
    leave(a);
    expect(client.session.host).toBe(a.session);
    a.data(client, '"target":"m","arguments":[]}␞');
    expect(client.session.host).toBe(b.session);
    expect(client.heard).toEqual(['{"type":1,"target":"m","arguments":[]}␞']);
  });

  test('a call that takes longer than 20 s is answered with an error, and the client moved', async () => {
    const asked = { connectionId: client.id, invocationId: 'i', callerServerId: 'b' };
    b.says({ type: MessageType.ClientInvocation, ...asked, payloads: payloads({ json: SEND }) });
    client.says(call(1));
    leave(a);
    client.says(call(2));
    a.data(client, '{"type":2,');
    await b.messages();
    for (let second = 0; second < 20; second++) {
      edge.pass(1);
      for (const { session } of edge.servers) session.received(Buffer.of(2, 0x91, 3));
    }
    expect(client.heard).toEqual([SEND, failed(1, CUT)]);
    expect((await told(b, client)).slice(-3)).toEqual([...opened('a'), call(2)]);
    expect(outcomes()).toEqual({ moved: 1 });
    expect(edge.context.counters.failedCalls).toBe(1);
  });

  test('and is lost meanwhile: running calls are answered, held ones run at the other', async () => {
    client.says(call(1));
    leave(a);
    client.says(call(2));
    lose(a);
    expect(client.heard).toEqual([failed(1)]);
    expect(await told(b, client)).toEqual([...opened('a'), call(2)]);
    expect(outcomes()).toEqual({ moved_after_loss: 1 });
    b.data(client, done(2));
    expect(client.heard).toEqual([failed(1), done(2)]);
  });

  test('a client that leaves meanwhile is forgotten, and what it held', async () => {
    client.says(call(1));
    leave(a);
    client.says(call(2));
    client.socket.leave(1000);
    expect((await told(a, client)).at(-1)).toEqual([MessageType.CloseConnection, undefined]);
    expect(await told(b, client)).toEqual([]);
    expectNothingHeld();
  });

  test('a client that has said Close is left to it', async () => {
    client.says('{"type":7}␞');
    leave(a);
    expect(client.session.host).toBe(a.session);
    a.closes(client);
    expect(edge.closes).toEqual({ ClosedByAppServer: 1 });
    expectNothingHeld();
  });

  test('a client that runs more calls than are known is closed when they do not end', async () => {
    client.says(call('x'.repeat(65)));
    leave(a);
    for (let second = 0; second < 20; second++) {
      edge.pass(1);
      for (const { session } of edge.servers) session.received(Buffer.of(2, 0x91, 3));
    }
    expect(client.heard).toEqual([HUB_CLOSE]);
    expect(outcomes()).toEqual({ not_possible: 1 });
  });

  test('both stop: the client waits for a third, with all that it says', async () => {
    leave(b);
    leave(a);
    client.says(call(1));
    expect(client.session.host).toBeUndefined();
    edge.pass(9);
    const c = await edge.server({ serverId: 'c' });
    expect(client.session.host).toBe(c.session);
    c.data(client, done(1));
    expect(client.heard).toEqual([done(1)]);
  });
});
