import type { MessageFromServer } from '@trunkline/protocol';
import { encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { BusMember } from '../bus/bus-member.test-support.ts';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { JoinBus } from '../ports/bus.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { FakeClient, FakeServer } from './fixtures.test-support.ts';
import { payloads, TestEdge, turn } from './fixtures.test-support.ts';

const json = payloads({ json: '{"n":1}␞' });

interface Member {
  readonly edge: TestEdge;
  /** Subjects that this edge has published to. */
  readonly published: string[];
}

function join(broker: MemoryBroker, edgeId: string): Member {
  const published: string[] = [];
  const joinBus: JoinBus = (listener) => {
    const bus = broker.join(edgeId, listener);
    return {
      ...bus,
      publish: (subject, bytes) => {
        published.push(subject);
        bus.publish(subject, bytes);
        // Bytes are only lent to the bus.
        bytes.fill(0xff);
      },
    };
  };
  return { edge: new TestEdge({}, { edgeId, joinBus }), published };
}

describe('of two edges', () => {
  let a: Member;
  let b: Member;
  let server: FakeServer;
  /** Ann and Ben on the first edge, then Ann and Ben on the second. */
  let clients: [ann: FakeClient, ben: FakeClient, ann2: FakeClient, ben2: FakeClient];

  beforeEach(async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    [a, b] = [join(broker, 'a'), join(broker, 'b')];
    server = await a.edge.server();
    const other = await b.edge.server({ serverId: 'server-2' });
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
    await turn();
    await turn();
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
    expect(a.published).toHaveLength(1);
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
    const stranger = await b.edge.client(elsewhere, { hub: 'other', userId: 'ann' });
    await reached(
      { type: MessageType.BroadcastData, excludedConnectionIds: [], payloads: json },
      { type: MessageType.UserData, userId: 'ann', payloads: json },
    );
    expect(stranger.heard).toEqual([]);
  });

  test('one that has left hears nothing more', async () => {
    await b.edge.core.stop();
    expect(await reached({ type: MessageType.UserData, userId: 'ann', payloads: json })).toEqual([
      1, 0, 0, 0,
    ]);
  });
});

describe('what comes over the bus', () => {
  const broker = new MemoryBroker(SYSTEM_TIME);
  const sender = new BusMember('sender', (listener) => broker.join('sender', listener)).bus;
  const member = join(broker, 'member');

  test('is refused when it is garbage, and nothing breaks', async () => {
    const server = await member.edge.server();
    const client = await member.edge.client(server);
    const broadcast = encodeServiceMessage({
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: json,
    });
    for (const bytes of [
      Buffer.of(),
      Buffer.of(0xff, 1, 2),
      Buffer.of(0x91, 99),
      Buffer.of(0x91, 3),
    ]) {
      sender.publish('hub.chat', bytes);
    }
    // A bus message is the body of a service message, without its length.
    sender.publish('hub.chat', broadcast.subarray(1));
    await turn();
    await turn();
    expect(client.heard).toEqual(['{"n":1}␞']);
  });

  test('of hubs that this edge does not have is not even received', async () => {
    sender.publish('hub.unknown', Buffer.of(0xff));
    await turn();
    expect([...member.edge.hubs].map(({ name }) => name)).not.toContain('unknown');
  });
});
