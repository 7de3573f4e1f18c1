import { MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import type { FakeServer } from '../fixtures.test-support.ts';
import { JSON_HANDSHAKE, TestEdge } from '../fixtures.test-support.ts';

const FINACK = ['ping', 'shutdown', 'finack'];
const CALL = '{"type":1,"invocationId":"1","target":"a","arguments":[]}␞';
const DONE = '{"type":3,"invocationId":"1","result":null}␞';

const AT_A = { affinity: { sticky: 'Preferred', serverName: 'a' } } as const;

const fin = (server: FakeServer, mode: number): void =>
  server.says({ type: MessageType.Ping, entries: ['shutdown', `fin:${mode}`] });

async function twoServers(): Promise<{ edge: TestEdge; a: FakeServer; b: FakeServer }> {
  const edge = new TestEdge({ migration: 'always' });
  const a = await edge.server({ serverId: 'a' });
  return { edge, a, b: await edge.server({ serverId: 'b' }) };
}

/** Frames since the last look that are no keep-alive. */
async function heard(server: FakeServer): Promise<unknown[][]> {
  return (await server.heard()).filter((message) => message.length > 1);
}

describe('fin:0', () => {
  test('is answered when the last client has moved, after the close that tells of it', async () => {
    const { edge, a, b } = await twoServers();
    b.session.drain();
    const clients = [await edge.client(a), await edge.client(a)];
    for (const client of clients) client.says(CALL);
    await a.messages();
    fin(a, 0);
    a.data(clients[0]!, DONE);
    expect(await heard(a)).toEqual([['close', clients[0]!.id, '']]);
    a.data(clients[1]!, DONE);
    expect(await heard(a)).toEqual([['close', clients[1]!.id, ''], FINACK]);
  });

  test('waits for a client that has no handshake response yet, and moves it then', async () => {
    const { edge, a, b } = await twoServers();
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    await a.messages();
    fin(a, 0);
    expect(await heard(a)).toEqual([]);
    a.data(client, '{}␞');
    expect(await heard(a)).toEqual([['close', client.id, ''], FINACK]);
    expect(client.heard).toEqual(['{}␞']);
    expect(client.session.host).toBe(b.session);
  });

  test('is answered when the last client has gone by itself', async () => {
    const { edge, a } = await twoServers();
    const client = await edge.client(a);
    client.says(CALL);
    await a.messages();
    fin(a, 0);
    client.socket.leave(1000);
    expect(await heard(a)).toEqual([['close', client.id, ''], FINACK]);
  });

  test('with a call that does not end: moved after 20 s, answered then', async () => {
    const { edge, a } = await twoServers();
    const client = await edge.client(a);
    client.says(CALL);
    await a.messages();
    fin(a, 0);
    for (let second = 1; second < 20; second++) {
      edge.pass(1);
      a.data(client, '{"type":6}␞');
      if (second % 5 === 0) fin(a, 0);
    }
    expect(await heard(a)).toEqual([]);
    edge.pass(1);
    expect(await heard(a)).toEqual([['close', client.id, ''], FINACK]);
    expect(client.socket.isOpen).toBe(true);
  });

  test('is answered within 25 s, even if the edge has slept and waits longer itself', async () => {
    const { edge, a } = await twoServers();
    const client = await edge.client(a);
    client.says(CALL);
    await a.messages();
    fin(a, 0);
    edge.sleep(12);
    for (let second = 13; second < 25; second++) {
      edge.pass(1);
      fin(a, 0);
    }
    expect(await heard(a)).toEqual([]);
    edge.pass(1);
    expect(await heard(a)).toEqual([FINACK]);
    expect(client.session.host).toBe(a.session);
  });

  test('finds nobody to wait for: answered at once, each time', async () => {
    const { a } = await twoServers();
    fin(a, 0);
    fin(a, 0);
    expect(await heard(a)).toEqual([FINACK, FINACK]);
  });
});

describe.each([1, 2])('fin:%i', (mode) => {
  test('is answered at once; clients move as their calls end', async () => {
    const { edge, a, b } = await twoServers();
    const [idle, busy] = [await edge.client(a), await edge.client(b)];
    const client = await edge.client(a);
    client.says(CALL);
    await a.messages();
    fin(a, mode);
    expect(await heard(a)).toEqual([['close', idle.id, ''], FINACK]);
    a.data(client, DONE);
    expect(await heard(a)).toEqual([['close', client.id, '']]);
    expect([idle, client, busy].map(({ session }) => session.host)).toEqual([
      b.session,
      b.session,
      b.session,
    ]);
    expect(client.heard).toEqual([DONE]);
  });
});

test('fin:2 leaves clients where they are that may not be moved, even one that opens just now', async () => {
  const edge = new TestEdge({ migration: 'never' });
  const a = await edge.server({ serverId: 'a' });
  await edge.server({ serverId: 'b' });
  const clients = [await edge.client(a, AT_A), edge.strangeClient(AT_A)] as const;
  clients[1].says(JSON_HANDSHAKE);
  await a.messages();
  fin(a, 2);
  a.data(clients[1], '{}␞');
  expect(await heard(a)).toEqual([FINACK]);
  for (const { session } of clients) expect(session.host).toBe(a.session);
});

describe('a server that departs', () => {
  test('has its clients back by no connection, of its own or another of its process', async () => {
    const { edge, a, b } = await twoServers();
    const sibling = await edge.server({ serverId: 'a' });
    b.session.drain();
    const client = await edge.client(a);
    fin(a, 1);
    expect(sibling.session.clients).toEqual([]);
    await edge.server({ serverId: 'c' });
    expect(client.session.host?.serverId).toBe('c');
  });

  test('cannot end a client any more that has just been taken away, but any other', async () => {
    const { edge, a, b } = await twoServers();
    const client = await edge.client(a);
    const ofB = await edge.client(b);
    expect(ofB.session.host).toBe(b.session);
    fin(a, 1);
    a.data(client, '{"type":7,"allowReconnect":true}␞');
    a.closes(client);
    a.closes(ofB);
    expect(ofB.socket.isOpen).toBe(false);
    expect(client.socket.isOpen).toBe(true);
    expect(client.heard).toEqual([]);
    expect(client.session.host).toBe(b.session);
  });
});
