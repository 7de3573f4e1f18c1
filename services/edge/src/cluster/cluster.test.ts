import type { MessageFromServer } from '@trunkline/protocol';
import { encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { BusMember } from '../bus/bus-member.test-support.ts';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { turn } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import { encodeClusterFrame } from './cluster-frames.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, joinPair, json, roundTrip, settle } from './cluster-member.test-support.ts';

describe('of two edges', () => {
  let a: Member;
  let b: Member;
  let server: FakeServer;
  /** Ann and Ben on the first edge, then Ann and Ben on the second. */
  let clients: [ann: FakeClient, ben: FakeClient, ann2: FakeClient, ben2: FakeClient];

  beforeEach(async () => {
    const pair = await joinPair();
    ({ a, b, server } = pair);
    const { other } = pair;
    clients = [
      await a.edge.client(server, { userId: 'ann' }),
      await a.edge.client(server, { userId: 'ben' }),
      await b.edge.client(other, { userId: 'ann' }),
      await b.edge.client(other, { userId: 'ben' }),
    ];
  });

  /** Says the messages on the first edge, and answers how often each client was reached. */
  async function reached(...messages: readonly MessageFromServer[]): Promise<number[]> {
    for (const { socket } of clients) socket.sent.length = 0;
    server.says(...messages);
    await roundTrip();
    return clients.map(({ heard }) => heard.length);
  }

  const toGroup = (over: { excludedConnectionIds?: string[]; excludedUserIds?: string[] } = {}) =>
    ({
      type: MessageType.GroupBroadcastData,
      group: 'g',
      excludedConnectionIds: [],
      excludedUserIds: [],
      callerUserId: undefined,
      payloads: json,
      ...over,
    }) as const;

  test('a broadcast on one reaches the clients of both, once, the excluded aside', async () => {
    const all = { type: MessageType.BroadcastData, excludedConnectionIds: [] as string[] } as const;
    expect(await reached({ ...all, payloads: json })).toEqual([1, 1, 1, 1]);
    const excludedConnectionIds = [clients[1].id, clients[2].id];
    expect(await reached({ ...all, excludedConnectionIds, payloads: json })).toEqual([1, 0, 0, 1]);
    expect(a.published).toEqual(['hub.chat', 'hub.chat']);
    expect(b.published).toEqual([]);
    expect(clients[3].heard).toEqual(['{"n":1}␞']);
  });

  test('a user is reached on both', async () => {
    expect(await reached({ type: MessageType.UserData, userId: 'ann', payloads: json })).toEqual([
      1, 0, 1, 0,
    ]);
    expect(
      await reached({ type: MessageType.MultiUserData, userIds: ['ann', 'ben'], payloads: json }),
    ).toEqual([1, 1, 1, 1]);
  });

  test('connections join groups wherever they are, and the group is one', async () => {
    for (const { id: connectionId } of [clients[0], clients[3]]) {
      await reached({ type: MessageType.JoinGroup, connectionId, group: 'g' });
    }
    expect(await reached(toGroup())).toEqual([1, 0, 0, 1]);
    expect(await reached(toGroup({ excludedConnectionIds: [clients[3].id] }))).toEqual([
      1, 0, 0, 0,
    ]);
    expect(await reached(toGroup({ excludedUserIds: ['ann'] }))).toEqual([0, 0, 0, 1]);
    const { id: connectionId } = clients[3];
    await reached({ type: MessageType.LeaveGroup, connectionId, group: 'g' });
    expect(
      await reached({ type: MessageType.MultiGroupBroadcastData, groups: ['g'], payloads: json }),
    ).toEqual([1, 0, 0, 0]);
  });

  test('a user joins groups on both, and its rules hold on both', async () => {
    await reached({ type: MessageType.UserJoinGroup, userId: 'ann', group: 'g', ttl: 60 });
    const other = [...b.edge.hubs.get('chat')!.servers].at(0);
    const late = b.edge.strangeClient({ userId: 'ann' });
    late.says('{"protocol":"json","version":1}␞');
    expect(other?.clients.at(-1)?.id).toBe(late.id);
    expect(await reached(toGroup())).toEqual([1, 0, 1, 0]);
    expect(b.edge.context.counters.heldMessages).toBe(1);
  });

  test('connections are reached and closed where they are; what is settled is not told', async () => {
    const [here, , , there] = clients;
    expect(
      await reached({
        type: MessageType.MultiConnectionData,
        connectionIds: [here.id, there.id],
        payloads: json,
      }),
    ).toEqual([1, 0, 0, 1]);
    const own = { type: MessageType.MultiConnectionData, payloads: json } as const;
    await reached({ ...own, connectionIds: [here.id] });
    expect(a.published).toEqual([]);
    await reached({
      type: MessageType.CloseConnectionWithAck,
      connectionId: there.id,
      reason: 'enough',
      ackId: 1,
    });
    expect(there.heard).toEqual(['{"type":7,"error":"enough"}␞']);
    expect(b.published).toEqual([]);
  });

  test('hubs of one name are one, others are not', async () => {
    const elsewhere = await b.edge.server({ hub: 'other' });
    await roundTrip();
    const stranger = await b.edge.client(elsewhere, { hub: 'other', userId: 'ann' });
    await reached(
      { type: MessageType.BroadcastData, excludedConnectionIds: [], payloads: json },
      { type: MessageType.UserData, userId: 'ann', payloads: json },
    );
    expect(stranger.heard).toEqual([]);
  });

  test('one that has left hears nothing more', async () => {
    await b.cluster.close();
    await roundTrip();
    expect(await reached({ type: MessageType.UserData, userId: 'ann', payloads: json })).toEqual([
      1, 0, 0, 0,
    ]);
    expect(a.published).toEqual([]);
  });
});

describe('what comes over the bus', () => {
  const broker = new MemoryBroker(SYSTEM_TIME);
  const sender = new BusMember('sender', (listener) => broker.join('sender', listener)).bus;
  const member = join(broker, 'member');

  test('is refused when it is garbage, and nothing breaks', async () => {
    await settle(member);
    const server = await member.edge.server();
    await roundTrip();
    const client = await member.edge.client(server);
    const broadcast = encodeServiceMessage({
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: json,
    });
    const command = (body: Uint8Array): Uint8Array =>
      encodeClusterFrame({ kind: 'command', question: 0, hub: 'chat', body });
    // The body of a service message is without its length.
    for (const body of [Buffer.of(), Buffer.of(0xff, 1, 2), Buffer.of(0x91, 99), broadcast]) {
      sender.publish('hub.chat', command(body));
    }
    for (const frame of [Buffer.of(), Buffer.of(0xff), Buffer.of(0x91, 99), Buffer.of(0x91, 1)]) {
      sender.publish('hub.chat', frame);
      sender.send('member', frame);
    }
    sender.publish('hub.chat', command(broadcast.subarray(1)));
    await roundTrip();
    expect(client.heard).toEqual(['{"n":1}␞']);
  });

  test('of hubs that this edge does not have is not even received', async () => {
    sender.publish('hub.unknown', Buffer.of(0xff));
    await turn();
    expect([...member.edge.hubs].map(({ name }) => name)).not.toContain('unknown');
  });
});

test('what another edge says at once leaves as one write for each client', async () => {
  const { b, server, other } = await joinPair();
  const client = await b.edge.client(other);
  const broadcast = { type: MessageType.BroadcastData, excludedConnectionIds: [] } as const;
  server.says({ ...broadcast, payloads: json }, { ...broadcast, payloads: json });
  await roundTrip();
  expect(client.heard).toEqual(['{"n":1}␞{"n":1}␞']);
});
