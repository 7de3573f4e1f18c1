import type { ClientInvocation, MessageFromServer } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { PoolName } from '../../pools.ts';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import { counted, payloads, TestEdge, usedOf } from '../fixtures.test-support.ts';

let edge: TestEdge;
let host: FakeServer;
let other: FakeServer;
let client: FakeClient;

const ASKED = '{"type":1,"invocationId":"i","target":"confirm","arguments":[]}␞';

const ask = (callerServerId: string, connectionId = client.id): ClientInvocation => ({
  type: MessageType.ClientInvocation,
  invocationId: 'i',
  connectionId,
  callerServerId,
  payloads: payloads({ json: ASKED }),
});

const completion = (payload: string): MessageFromServer => ({
  type: MessageType.ClientCompletion,
  invocationId: 'i',
  connectionId: client.id,
  callerServerId: 'host',
  protocol: 'json',
  payload: Buffer.from(payload),
});

/** Lets time pass in which app servers are heard of. */
function passAwake(seconds: number): void {
  for (let i = 0; i < seconds; i++) {
    for (const server of edge.servers) {
      if (server.session.isOpen) server.says({ type: MessageType.Ping, entries: [] });
    }
    edge.pass(1);
  }
}

beforeEach(async () => {
  edge = new TestEdge();
  host = await edge.server({ serverId: 'host' });
  client = await edge.client(host);
  other = await edge.server({ serverId: 'other' });
  await host.messages();
});

describe('a client result', () => {
  test('of its own client comes to a server by the client alone', async () => {
    host.says(ask('host'));
    expect(client.heard).toEqual([ASKED]);
    host.says(completion(''));
    expect(await host.messages()).toEqual([]);
  });

  test("of another server's client is announced to that server and handed on from it", async () => {
    other.says(ask('other'));
    expect(client.heard).toEqual([ASKED]);
    expect(await host.messages()).toEqual([{ ...ask('other'), payloads: new Map() }]);
    host.says(completion('answer'));
    expect(await other.messages()).toMatchObject([
      { type: MessageType.ClientCompletion, invocationId: 'i', payload: Buffer.from('answer') },
    ]);
  });

  test('of a client whose server cannot pass it on is refused at once', async () => {
    const userAgent = 'Microsoft.Azure.SignalR/1.15.2';
    const old = await edge.server({ serverId: 'old', userAgent });
    const affinity = { sticky: 'Preferred', serverName: 'old' } as const;
    const { id } = await edge.client(old, { affinity });
    await old.messages();
    other.says(ask('other', id));
    expect(await old.messages()).toEqual([]);
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        error: `Connection '${id}' has an app server too old to ask.`,
      },
    ]);
  });

  test('of a client that says it is too old to answer is refused at once, whoever asks', async () => {
    const headers = ['accept: */*', 'user-agent: Microsoft SignalR/6.0 (6.0.25; …)'];
    const old = await edge.client(host, {
      introduction: { tokenPayload: '{}', headers, queryString: '' },
      affinity: { sticky: 'Preferred', serverName: 'host' },
    });
    host.says(ask('host', old.id));
    other.says(ask('other', old.id));
    for (const server of [host, other]) {
      expect(await server.messages()).toMatchObject([
        {
          type: MessageType.ErrorCompletion,
          error: `Connection '${old.id}' cannot answer: it is Microsoft SignalR/6.0, and client results need 7.0.`,
        },
      ]);
    }
    expect(old.heard).toEqual([]);
  });

  test('of a client whose hub protocol the message does not speak is refused at once', async () => {
    other.says({ ...ask('other'), payloads: payloads({ messagepack: 'm' }) });
    expect(await host.messages()).toEqual([]);
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        error: `The message has no payload in the hub protocol of connection '${client.id}'.`,
      },
    ]);
    expect(used('client_results')).toBe(0);
    other.says({ ...ask('other'), payloads: payloads({ JSON: ASKED }) });
    expect(client.heard).toEqual([ASKED]);
  });

  test('is handed on once, and from the connection that was asked alone', async () => {
    other.says(ask('other'));
    host.says({ ...completion('forged'), connectionId: 'somebody' } as MessageFromServer);
    host.says(completion('answer'), completion('again'));
    expect(await other.messages()).toMatchObject([{ payload: Buffer.from('answer') }]);
  });

  test('of nobody is an error at once', async () => {
    other.says(ask('other', 'nobody'));
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        invocationId: 'i',
        callerServerId: 'other',
        error: "Connection 'nobody' does not exist.",
      },
    ]);
  });

  test('of a client that leaves is an error for another server; its own knows by itself', async () => {
    other.says(ask('other'));
    host.says({ ...ask('host'), invocationId: 'j' });
    await host.messages();
    client.socket.leave(1000);
    expect(await other.messages()).toMatchObject([
      { type: MessageType.ErrorCompletion, error: `Connection '${client.id}' disconnected.` },
    ]);
    expect((await host.messages()).map(({ type }) => type)).toEqual([MessageType.CloseConnection]);
  });

  test('is an error too for another connection of its own server, which may have lost its host', async () => {
    const second = await edge.server({ serverId: 'host' });
    second.says(ask('host'));
    client.socket.leave(1000);
    expect(await second.messages()).toMatchObject([{ type: MessageType.ErrorCompletion }]);
  });

  test('that never comes is an error after ten minutes', async () => {
    other.says(ask('other'));
    edge.context.results.expire(edge.now + 10 * 60 * 1000 - 1, 0);
    expect(await other.messages()).toEqual([]);
    edge.context.results.expire(edge.now + 10 * 60 * 1000, 0);
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        error: `Connection '${client.id}' did not answer in time.`,
      },
    ]);
  });

  test('has the time too that the edge slept meanwhile', async () => {
    other.says(ask('other'));
    edge.sleep(10 * 60);
    passAwake(10 * 60 - 2);
    expect(await errors(other)).toEqual([]);
    passAwake(1);
    expect(await errors(other)).toEqual([`Connection '${client.id}' did not answer in time.`]);
  });

  test('finds its way to another connection of the server that asked', async () => {
    const second = await edge.server({ serverId: 'other' });
    other.says(ask('other'));
    other.socket.leave(1000);
    await second.messages();
    host.says(completion('answer'));
    expect(await second.messages()).toMatchObject([{ payload: Buffer.from('answer') }]);
  });
});

/** What is held of a pool. */
const used = (pool: PoolName): number => usedOf(edge.context.pools, pool);

/** What `server` has been told of invocations, in words. */
async function errors(server: FakeServer): Promise<string[]> {
  const messages = await server.messages();
  return messages.flatMap((message) =>
    message.type === MessageType.ErrorCompletion ? [message.error ?? ''] : [],
  );
}

describe('a hostile app server', () => {
  let stranger: FakeServer;

  beforeEach(async () => {
    stranger = await edge.server({ serverId: 'other', hub: 'elsewhere' });
  });

  test('of another hub asks no client, and learns nothing of it', async () => {
    stranger.says(ask('other'));
    expect(client.heard).toEqual([]);
    expect(await errors(stranger)).toEqual([`Connection '${client.id}' does not exist.`]);
    expect(await host.messages()).toEqual([]);
  });

  test('of another hub neither answers nor ends what is awaited, whatever it calls itself', async () => {
    other.says(ask('other'));
    await host.messages();
    stranger.says(completion('forged'));
    host.says(completion('answer'));
    expect(await other.messages()).toMatchObject([{ payload: Buffer.from('answer') }]);
    expect(await stranger.messages()).toEqual([]);
  });

  test('of the same hub does not answer for a client it does not serve', async () => {
    const third = await edge.server({ serverId: 'third' });
    other.says(ask('other'));
    third.says(completion('forged'));
    expect(await other.messages()).toEqual([]);
    host.says(completion('answer'));
    expect(await other.messages()).toMatchObject([{ payload: Buffer.from('answer') }]);
  });

  test('cannot ask under an id that somebody waits for', async () => {
    const third = await edge.server({ serverId: 'third' });
    other.says(ask('other'));
    third.says(ask('third'));
    expect(await errors(third)).toEqual(["The answer to 'i' is awaited already."]);
    expect(client.heard).toHaveLength(1);
    host.says(completion('answer'));
    expect(await other.messages()).toMatchObject([{ payload: Buffer.from('answer') }]);
    third.says(ask('third'));
    expect(client.heard).toHaveLength(2);
  });
});

describe('bounds', () => {
  const floods = (server: FakeServer, times: number, { id } = client, from = 0): void => {
    for (let n = from; n < from + times; n++) {
      server.says({ ...ask(server.session.serverId, id), invocationId: `${id}-${n}` });
    }
  };

  test('of one client: the 101st question is refused, and other clients can be asked', async () => {
    floods(host, 101);
    expect(await errors(host)).toEqual([
      `Too many results of connection '${client.id}' are awaited.`,
    ]);
    const second = await edge.client(host);
    floods(host, 1, second);
    expect(await errors(host)).toEqual([]);
    host.says({ ...completion(''), invocationId: `${client.id}-0` } as MessageFromServer);
    floods(host, 1, client, 1000);
    expect(await errors(host)).toEqual([]);
  });

  test('of one hub: over its share it is refused, and other hubs are not', async () => {
    for (let n = 0; n < 250; n++) floods(host, 100, await edge.client(host));
    expect(await errors(host)).toEqual([]);
    floods(host, 1);
    expect(await errors(host)).toEqual(['Too many client results are awaited.']);
    expect(counted(edge.context.pools.refusals)).toEqual({ 'client_results|share': 1 });
    const elsewhere = await edge.server({ hub: 'elsewhere' });
    floods(elsewhere, 1, await edge.client(elsewhere, { hub: 'elsewhere' }));
    expect(await errors(elsewhere)).toEqual([]);
  });

  test('what the hub has no room for takes no place of its client', async () => {
    for (let n = 0; n < 250; n++) floods(host, 100, await edge.client(host));
    for (let n = 0; n < 100; n++) floods(host, 1, client, n);
    expect([used('client_results'), used('client_results_of_client')]).toEqual([25_000, 25_000]);
  });

  test('a refused question takes no place', async () => {
    floods(host, 100);
    for (let n = 0; n < 50; n++) floods(host, 1, client, 1000 + n);
    expect(used('client_results')).toBe(100);
    expect(used('client_results_of_client')).toBe(100);
    client.socket.leave(1000);
    expect(used('client_results')).toBe(0);
  });
});

describe('an app server that asked and waits no longer', () => {
  const awaited = (): boolean => edge.context.results.awaits(client.session);

  test('says so by an empty answer', async () => {
    other.says(ask('other'));
    other.says(completion(''));
    expect(awaited()).toBe(false);
    expect(await errors(other)).toEqual([]);
  });

  test('has 30 seconds to come back when it has lost its last connection', async () => {
    other.says(ask('other'));
    other.socket.leave(1000);
    edge.context.results.expire(edge.now + 29_999, 0);
    expect(awaited()).toBe(true);
    edge.context.results.expire(edge.now + 30_000, 0);
    expect(awaited()).toBe(false);
  });

  test('and does not come back takes nothing from others that wait', async () => {
    const another = await edge.client(host);
    const third = await edge.server({ serverId: 'third' });
    other.says(ask('other'));
    third.says(ask('third', another.id));
    other.socket.leave(1000);
    edge.context.results.expire(edge.now + 30_000, 0);
    const { results } = edge.context;
    expect([client, another].map(({ session }) => results.awaits(session))).toEqual([false, true]);
  });

  test('has them of the time that the edge is awake', () => {
    other.says(ask('other'));
    other.socket.leave(1000);
    edge.sleep(31);
    expect(awaited()).toBe(true);
    passAwake(28);
    expect(awaited()).toBe(true);
    passAwake(1);
    expect(awaited()).toBe(false);
  });

  test('has its answer go nowhere while it has no connection', async () => {
    other.says(ask('other'));
    other.socket.leave(1000);
    expect(() => host.says(completion('answer'))).not.toThrow();
    expect(awaited()).toBe(false);
    expect(host.socket.isOpen).toBe(true);
  });

  test('gets its answer on the connection it comes back with', async () => {
    other.says(ask('other'));
    other.socket.leave(1000);
    const again = await edge.server({ serverId: 'other' });
    edge.context.results.expire(edge.now + 60_000, 0);
    host.says(completion('answer'));
    expect(await again.messages()).toMatchObject([{ payload: Buffer.from('answer') }]);
  });
});
describe('a process that has just started, of a package that loses early answers,', () => {
  const userAgent = 'Microsoft.Azure.SignalR/1.34.0';
  let young: FakeServer;

  beforeEach(async () => {
    young = await edge.server({ serverId: 'young', userAgent });
  });

  /** How many milliseconds a question waits before the client hears it. */
  function wait(invocationId: string): number {
    young.says({ ...ask('young'), invocationId });
    for (let ms = 0; ms <= 600; ms += 10) {
      if (client.heard.length > 0) {
        client.socket.sent.length = 0;
        return ms;
      }
      edge.time.pass(10);
    }
    throw new Error('the client was not asked');
  }

  test('has its questions wait until twenty have their answers, and no longer', () => {
    for (let n = 0; n < 20; n++) {
      const id = `${n}`;
      expect(wait(id)).toBe(n === 0 ? 500 : 100);
      host.says({ ...completion('answer'), invocationId: id } as MessageFromServer);
    }
    expect(wait('last')).toBe(0);
  });

  test('sends the client everything else at once, and hears what it says', async () => {
    young.says(ask('young'), {
      type: MessageType.MultiConnectionData,
      connectionIds: [client.id],
      payloads: payloads({ json: '{"type":6}␞' }),
    });
    expect(client.heard).toEqual(['{"type":6}␞']);
    client.says('{"type":6}␞');
    expect(await host.heard()).toContainEqual(['data', client.id, '{"type":6}␞']);
    edge.time.pass(500);
    expect(client.heard).toEqual(['{"type":6}␞', ASKED]);
  });

  test('asks nobody any more who has gone meanwhile', () => {
    young.says(ask('young'));
    client.socket.leave(1005);
    expect(() => edge.time.pass(600)).not.toThrow();
    expect(client.heard).toEqual([]);
  });

  test('does not wait with more than 1 MiB', () => {
    const json = payloads({ json: `"${'x'.repeat(600_000)}"␞` });
    young.says({ ...ask('young'), payloads: json });
    expect(client.heard).toEqual([]);
    young.says({ ...ask('young'), invocationId: 'j', payloads: json });
    expect(client.heard).toHaveLength(1);
    edge.time.pass(500);
    expect(client.heard).toHaveLength(2);
  });

  test('has the room back when its questions have gone out', () => {
    const json = payloads({ json: `"${'x'.repeat(600_000)}"␞` });
    for (const invocationId of ['1', '2']) {
      client.socket.sent.length = 0;
      young.says({ ...ask('young'), invocationId, payloads: json });
      expect(client.heard).toEqual([]);
      edge.time.pass(500);
      expect(client.heard).toHaveLength(1);
    }
    expect(used('early_questions')).toBe(0);
  });

  test('leaves room to other hubs: when there is none, the questions of the largest go out', async () => {
    const elsewhere = await edge.server({ hub: 'elsewhere', serverId: 'young 2', userAgent });
    const stranger = await edge.client(elsewhere, { hub: 'elsewhere' });
    const third = await edge.server({ hub: 'third', serverId: 'young 3', userAgent });
    const bystander = await edge.client(third, { hub: 'third' });
    third.says(ask('young 3', bystander.id));
    young.says({ ...ask('young'), payloads: payloads({ json: `"${'x'.repeat(900_000)}"␞` }) });
    const small = payloads({ json: `"${'x'.repeat(200_000)}"␞` });
    elsewhere.says({ ...ask('young 2', stranger.id), payloads: small });
    const heard = () => [client, stranger, bystander].map((one) => one.heard.length);
    expect(heard()).toEqual([1, 0, 0]);
    expect(counted(edge.context.pools.refusals)).toEqual({ 'early_questions|evicted': 1 });
    edge.time.pass(500);
    expect(heard()).toEqual([1, 1, 1]);
    expect(used('early_questions')).toBe(0);
  });
});
