import type { MessageFromServer } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { FakeClient, FakeServer } from './fixtures.test-support.ts';
import {
  counted,
  MESSAGEPACK_HANDSHAKE,
  payloads,
  TestEdge,
  turn,
  wire,
} from './fixtures.test-support.ts';

const CALL = '{"type":1,"target":"a","arguments":[]}␞';
const ACK = '{"type":8,"sequenceId":1}␞';
/** Of a service message of 16 KiB, its length and its first byte. */
const HALF_FRAME = Buffer.of(0x80, 0x80, 0x01, 0x95);

let edge: TestEdge;
let server: FakeServer;
let client: FakeClient;

beforeEach(async () => {
  edge = new TestEdge();
  server = await edge.server();
  client = await edge.client(server);
  await server.messages();
});

const used = (name: string): number =>
  [...edge.context.pools.usage()].find(([pool]) => pool === name)![1];

/** Lets turns pass until everything that has come is worked off. */
async function settle(): Promise<void> {
  do await turn();
  while (used('backlog_from_clients') + used('backlog_from_servers') > 0);
  await turn();
}

describe('a client that sends much at once', () => {
  const MANY = 100_000;

  beforeEach(() => {
    edge.time.lookMs = 1;
  });

  test('is served in turns, completely and in order', async () => {
    const text = Array.from({ length: MANY }, (_, n) => `{"type":1,"target":"t${n}"}␞`).join('');
    client.socket.receive(wire(text));
    expect(used('backlog_from_clients')).toBeGreaterThan(0);
    client.says('{"type":1,"target":"last"}␞');
    await settle();
    const heard = (await server.heard()).map(([, , said]) => said).join('');
    expect(heard === `${text}{"type":1,"target":"last"}␞`).toBe(true);
    expect(edge.closes).toEqual({});
  });

  test('and leaves is worked off before its hub is told that it has gone', async () => {
    client.socket.receive(wire(CALL.repeat(MANY)));
    client.socket.leave(1000);
    expect(edge.closes).toEqual({});
    server.data(client, CALL);
    await settle();
    expect(edge.closes).toEqual({ Normal: 1 });
    expect((await server.heard()).at(-1)).toEqual(['close', client.id, '']);
    expect(used('backlog_from_clients')).toBe(0);
  });

  test('and more than may wait is closed', async () => {
    client.socket.receive(wire(CALL.repeat(MANY)));
    for (let n = 0; n < 8 && client.socket.isOpen; n++) {
      client.socket.receive(Buffer.alloc(1024 * 1024, CALL));
    }
    expect(edge.closes).toEqual({ Flood: 1 });
    expect(used('backlog_from_clients')).toBe(0);
    await settle();
  });
});

describe('messages that no client sends, or clients send once in some seconds', () => {
  test.each([
    ['an ack', ACK, 250],
    ['a ping', '{"type":6}␞', 0],
    ['a ping with spaces', '{ "type" : 6 }␞', 0],
    ['nothing at all', '␞', 0],
  ])('%s: too many end the client', (_, message, strays) => {
    for (let n = 0; n < 250; n++) client.says(message);
    expect([edge.context.counters.strays, edge.closes]).toEqual([strays, {}]);
    client.says(message);
    expect(edge.closes).toEqual({ Flood: 1 });
  });

  test('the same in MessagePack', async () => {
    const binary = await edge.client(server, { handshake: MESSAGEPACK_HANDSHAKE });
    for (let n = 0; n < 250; n++) binary.socket.receive(Buffer.of(2, 0x91, 6));
    expect(edge.closes).toEqual({});
    binary.socket.receive(Buffer.of(0));
    expect(edge.closes).toEqual({ Flood: 1 });
  });

  test('the shortest of others may be as many as a client likes', () => {
    for (let n = 0; n < 5_000; n++) client.says('{"type":99}␞');
    expect(edge.closes).toEqual({});
  });

  test('may come now and then for ever', () => {
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 225; n++) client.says(ACK);
      edge.passWith(server, 11);
    }
    expect(edge.closes).toEqual({});
  });
});

describe('a message that is never finished', () => {
  test('of a client ends it after 30 seconds without a byte', () => {
    client.says('{"type":1,');
    edge.passWith(server, 20);
    client.says('"target":"a",');
    edge.passWith(server, 29);
    expect(edge.closes).toEqual({});
    edge.passWith(server, 2);
    expect(edge.closes).toEqual({ Flood: 1 });
    expect(used('unfinished_from_clients')).toBe(0);
  });

  test('of many clients ends the largest of them when there is no room', async () => {
    edge = new TestEdge({ hubMessageBytes: 4 * 1024 * 1024 });
    server = await edge.server();
    for (let n = 0; n < 20; n++) {
      const one = await edge.client(server);
      one.socket.receive(Buffer.alloc(3 * 1024 * 1024, 0x20));
    }
    expect(used('unfinished_from_clients')).toBeLessThanOrEqual(64 * 1024 * 1024);
    const other = await edge.client(server);
    other.says('{"type":');
    other.says('6}␞');
    expect(other.socket.isOpen).toBe(true);
  });

  test('for a client ends that client, and nobody else', () => {
    server.data(client, '{"type":1,');
    edge.passWith(server, 31);
    expect(edge.closes).toEqual({ BadServerData: 1 });
    expect(server.socket.isOpen).toBe(true);
  });

  test('is held no longer than its client is there, whichever way it goes', () => {
    client.says('{"type":1,');
    server.data(client, '{"type":1,');
    expect(used('unfinished_from_clients')).toBeGreaterThan(0);
    expect(used('unfinished_to_clients')).toBeGreaterThan(0);
    client.socket.leave(1000);
    expect(used('unfinished_from_clients')).toBe(0);
    expect(used('unfinished_to_clients')).toBe(0);
  });

  test('is held no longer than its app server is there', () => {
    server.socket.receive(HALF_FRAME);
    expect(used('unfinished_from_servers')).toBeGreaterThan(0);
    server.socket.leave(1000);
    expect(used('unfinished_from_servers')).toBe(0);
  });

  test("is nobody's fault for as long as the edge slept", () => {
    client.says('{"type":1,');
    server.data(client, '{"type":1,');
    edge.sleep(60);
    edge.passWith(server, 25);
    expect(edge.closes).toEqual({});
    edge.passWith(server, 10);
    expect(edge.closes).toEqual({ Flood: 1 });
  });

  test('of an app server ends the connection', () => {
    server.socket.receive(HALF_FRAME);
    for (let second = 0; second < 31; second++) {
      for (const one of edge.context.servers) one.check(edge.now, 0);
      edge.pass(1);
    }
    expect(server.socket.isOpen).toBe(false);
  });
});

describe('what clients say before an app server has them', () => {
  const HANDSHAKE = '{"protocol":"json","version":1}␞';
  const QUARTER = 250 * 1024;

  test('has a sum: when that is used up, the largest go, and newcomers wait', () => {
    edge = new TestEdge({ hubMessageBytes: 4 * 1024 * 1024 });
    for (let n = 0; n < 300; n++) {
      const one = edge.strangeClient();
      one.says(HANDSHAKE);
      one.socket.receive(Buffer.alloc(QUARTER, 0x20));
    }
    expect(used('waiting_clients')).toBeLessThanOrEqual(64 * 1024 * 1024);
    const other = edge.strangeClient();
    other.says(HANDSHAKE + CALL);
    expect(other.socket.isOpen).toBe(true);
    expect(used('waiting_clients')).toBeLessThanOrEqual(64 * 1024 * 1024);
  });

  test('is given back when one comes, and when they go', async () => {
    edge = new TestEdge({ hubMessageBytes: 4 * 1024 * 1024 });
    const [stays, goes] = [edge.strangeClient(), edge.strangeClient()];
    for (const one of [stays, goes]) one.says(HANDSHAKE + CALL);
    expect(used('waiting_clients')).toBe(2 * CALL.length);
    goes.socket.leave(1000);
    expect(used('waiting_clients')).toBe(CALL.length);
    await edge.server();
    expect(used('waiting_clients')).toBe(0);
  });
});

test('clients that are connected, and say nothing now, hold nothing of any pool', async () => {
  for (let n = 0; n < 20; n++) {
    const one = await edge.client(server, { userId: `user ${n}` });
    one.says(CALL);
    server.data(one, CALL);
  }
  await settle();
  expect([...edge.context.pools.usage()].filter(([, held]) => held > 0)).toEqual([]);
});

test('sends to few share a look at the clock, and what may cost much has one of its own', async () => {
  const send = {
    type: MessageType.BroadcastData,
    excludedConnectionIds: [],
    payloads: payloads({ json: CALL }),
  } as const;
  const long = { ...send, payloads: payloads({ json: '.'.repeat(2000) }) };
  const toGroup = {
    ...send,
    type: MessageType.GroupBroadcastData,
    group: 'g',
    excludedUserIds: [],
    callerUserId: undefined,
  } as const;
  const toUser = { type: MessageType.UserData, userId: 'u', payloads: send.payloads } as const;
  const connectionIds = Array.from({ length: 100 }, (_, n) => `${n}`);
  const toMany = { ...send, type: MessageType.MultiConnectionData, connectionIds } as const;
  edge.time.lookMs = 0.5;
  const { counters } = edge.context;
  /** How many of a hundred are worked off before the first turn is over. */
  const inATurn = (message: MessageFromServer): number => {
    const before = counters.messagesFromServers;
    const one = edge.strangeServer({ hub: 'other' });
    one.shakesHands();
    edge.time.pass(1000);
    one.says(...Array.from({ length: 100 }, () => message));
    return counters.messagesFromServers - before - 1;
  };
  for (const one of [send, toGroup, toUser]) expect(inATurn(one)).toBe(16 * inATurn(long));
  expect(inATurn({ ...toGroup, excludedUserIds: ['u'] })).toBe(inATurn(long));
  expect(inATurn(toMany)).toBe(inATurn(long));
  const other = await edge.server({ hub: 'other', serverId: 'server-2' });
  for (let n = 0; n < 5; n++) await edge.client(other, { hub: 'other' });
  expect(inATurn(send)).toBeLessThanOrEqual(inATurn(long));
});

test('changes of groups share a look at the clock, too, where they concern few', async () => {
  const other = await edge.server({ hub: 'other', serverId: 'server-2' });
  const one = await edge.client(other, { hub: 'other', userId: 'ann' });
  for (let n = 0; n < 5; n++) await edge.client(other, { hub: 'other', userId: 'ben' });
  edge.time.lookMs = 0.5;
  const { counters } = edge.context;
  /** How many of a hundred are worked off before the first turn is over. */
  const inATurn = async (message: MessageFromServer): Promise<number> => {
    await settle();
    edge.time.pass(1000);
    const before = counters.messagesFromServers;
    other.says(...Array.from({ length: 100 }, () => message));
    return counters.messagesFromServers - before;
  };
  const join = { type: MessageType.JoinGroup, connectionId: one.id, group: 'g' } as const;
  const leave = { ...join, type: MessageType.LeaveGroup } as const;
  const joinUser = { type: MessageType.UserJoinGroup, userId: 'ann', group: 'g', ttl: 60 } as const;
  const leaveUser = { type: MessageType.UserLeaveGroup, userId: 'ann', group: 'g' } as const;
  const shared = await inATurn(join);
  const alone = await inATurn({ ...leaveUser, group: undefined });
  // Each looks at the clock itself, besides.
  expect(shared).toBeGreaterThan(alone);
  for (const few of [leave, joinUser, leaveUser]) expect(await inATurn(few)).toBe(shared);
  const leaveAll = {
    ...leave,
    type: MessageType.LeaveGroupWithAck,
    ackId: 1,
    group: undefined,
  } as const;
  expect(await inATurn(leaveAll)).toBe(alone);
  expect(await inATurn({ ...leaveAll, group: 'g' })).toBe(shared);
  for (const ofBen of [joinUser, leaveUser]) {
    expect(await inATurn({ ...ofBen, userId: 'ben' })).toBe(alone);
  }
  // What is to be acked may be asked of all other edges.
  const acked = { type: MessageType.UserJoinGroupWithAck, ackId: 1 } as const;
  expect(await inATurn({ ...joinUser, ...acked })).toBe(shared);
  const edges = ['edge-2', 'edge-3', 'edge-4', 'edge-5', 'edge-6'];
  vi.spyOn(edge.hubs.get('other')!.others, 'edges', 'get').mockReturnValue(edges);
  expect(await inATurn({ ...leaveAll, group: 'g' })).toBe(alone);
  expect(await inATurn({ ...joinUser, ...acked })).toBe(alone);
});

test('an app server that asks for much is served in turns, and what it asked for before it went', async () => {
  const join = { type: MessageType.JoinGroup, connectionId: client.id, group: 'g' } as const;
  const message = payloads({ json: CALL });
  edge.time.lookMs = 1;
  server.says(join);
  const sends = Array.from({ length: 20_000 }, () => ({
    type: MessageType.BroadcastData,
    excludedConnectionIds: [],
    payloads: message,
  }));
  server.says(...sends);
  const waits = used('backlog_from_servers');
  server.socket.leave(1000);
  await settle();
  expect(waits).toBeGreaterThan(0);
  expect(edge.context.counters.messagesFromServers).toBeGreaterThan(20_000);
  expect(counted(edge.context.counters.serverCloses)).toEqual({ Normal: 1 });
});
