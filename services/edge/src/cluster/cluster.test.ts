import type { MessageFromServer } from '@trunkline/protocol';
import { decodeGroupPage, encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { BusMember } from '../bus/bus-member.test-support.ts';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { BusListener, JoinBus } from '../ports/bus.ts';
import type { Random } from '../ports/random.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { ClusterStats } from './cluster-stats.ts';
import type { Cluster } from './cluster.ts';
import { encodeClusterFrame } from './cluster-frames.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import {
  JSON_HANDSHAKE,
  payloads,
  TestEdge,
  turn,
  usedOf,
  TestTime,
} from '../sessions/fixtures.test-support.ts';

const json = payloads({ json: '{"n":1}␞' });

interface Member {
  readonly edge: TestEdge;
  readonly cluster: Cluster;
  readonly stats: ClusterStats;
  /** Subjects that this edge has published commands to. */
  readonly published: string[];
  /** Why it has to go. */
  readonly refused: string[];
  /** Subjects, other than that of all members and its own, by which it has heard something. */
  readonly heard: string[];
  /** What others publish to its hubs does not arrive. */
  losesCommands: boolean;
  /** What the bus says of losses, and of being away. */
  gap: BusListener['gap'];
  down: BusListener['down'];
}

/** Random bytes, but for the first: they make the tag of an edge's connection ids. */
function randomWithTag(tag: string): Random {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let first: Uint8Array | undefined = Uint8Array.from(tag, (letter) => ALPHABET.indexOf(letter));
  return (bytes) => {
    const given = first ?? randomBytes(bytes);
    first = undefined;
    return given;
  };
}

function join(
  broker: MemoryBroker,
  edgeId: string,
  { tag = `tag${edgeId}`, startsAfter = 0 } = {},
): Member {
  const published: string[] = [];
  const heard: string[] = [];
  let gap: BusListener['gap'] = () => {};
  let down: BusListener['down'] = () => {};
  const joinBus: JoinBus = (listener) => {
    gap = (from, why) => listener.gap(from, why);
    down = (why) => listener.down(why);
    const bus = broker.join(edgeId, {
      ...listener,
      message: (subject, from, bytes) => {
        if (member.losesCommands && subject.startsWith('hub.')) return;
        if (subject !== 'members' && !subject.startsWith('edge.')) heard.push(subject);
        listener.message(subject, from, bytes);
      },
    });
    return {
      ...bus,
      publish: (subject, bytes) => {
        if (subject !== 'members') published.push(subject);
        bus.publish(subject, bytes);
        // Bytes are only lent to the bus.
        bytes.fill(0xff);
      },
      send: (to, bytes) => {
        bus.send(to, bytes);
        bytes.fill(0xff);
      },
    };
  };
  const time = new TestTime();
  time.pass(startsAfter * 1000);
  const edge = new TestEdge({}, { edgeId, joinBus, time, random: randomWithTag(tag) });
  const { cluster } = edge.core;
  const { clusterStats: stats, refused } = edge;
  const member: Member = {
    edge,
    cluster,
    stats,
    published,
    refused,
    heard,
    losesCommands: false,
    gap,
    down,
  };
  return member;
}

/** Lets a second pass, after which they know each other; hubs that are opened now know of all rules. */
async function settle(...members: readonly Member[]): Promise<void> {
  await roundTrip();
  for (const { edge } of members) edge.pass(1);
  await roundTrip();
}

/** Time for a question to another edge and its answer. */
async function roundTrip(): Promise<void> {
  for (let n = 0; n < 6; n++) await turn();
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
    await settle(a, b);
    server = await a.edge.server();
    const other = await b.edge.server({ serverId: 'server-2' });
    await roundTrip();
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

describe('an app server at one edge, of a client at another', () => {
  let a: Member;
  let b: Member;
  /** At the first edge, and at the second. */
  let server: FakeServer;
  let other: FakeServer;
  let client: FakeClient;

  beforeEach(async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await settle(a, b);
    server = await a.edge.server();
    other = await b.edge.server({ serverId: 'server-2' });
    await roundTrip();
    client = await b.edge.client(other, { userId: 'ann' });
  });

  /** The status of the ack that an app server gets. */
  async function ackOf(message: MessageFromServer, asker = server): Promise<unknown> {
    asker.says(message);
    await roundTrip();
    const acks = (await asker.heard()).filter(([type]) => type === 'ack');
    expect(acks).toHaveLength(1);
    return acks[0]![2];
  }

  const OK = 1;
  const NOT_FOUND = 2;
  const NOBODY = 'tagb3456789012345678';

  test('joins it to a group, and the ack means that the next send reaches it', async () => {
    const { id: connectionId } = client;
    const join = {
      type: MessageType.JoinGroupWithAck,
      connectionId,
      group: 'g',
      ackId: 1,
    } as const;
    expect(await ackOf(join)).toBe(OK);
    other.says({ type: MessageType.MultiGroupBroadcastData, groups: ['g'], payloads: json });
    expect(client.heard).toEqual(['{"n":1}␞']);
    expect(await ackOf({ ...join, type: MessageType.LeaveGroupWithAck })).toBe(OK);
    expect(await ackOf({ ...join, connectionId: NOBODY })).toBe(NOT_FOUND);
    expect(await ackOf({ ...join, connectionId: 'no id of an edge' })).toBe(NOT_FOUND);
  });

  test('hears of every check what all edges know', async () => {
    const { id: connectionId } = client;
    const ackId = 1;
    other.says({ type: MessageType.JoinGroup, connectionId, group: 'g' });
    const checks = (connectionId: string, userId: string, group: string) =>
      [
        { type: MessageType.CheckConnectionExistenceWithAck, connectionId, ackId },
        { type: MessageType.CheckUserExistenceWithAck, userId, ackId },
        { type: MessageType.CheckGroupExistenceWithAck, group, ackId },
        { type: MessageType.CheckUserInGroupWithAck, userId, group, ackId },
      ] as const;
    const before = { ...a.stats.questions };
    for (const check of checks(connectionId, 'ann', 'g')) expect(await ackOf(check)).toBe(OK);
    for (const check of checks(NOBODY, 'ben', 'h')) expect(await ackOf(check)).toBe(NOT_FOUND);
    const { answered, not_found: notFound } = a.stats.questions;
    expect([answered - before.answered, notFound - before.not_found]).toEqual([4, 4]);
  });

  test('closes it, with an ack and without', async () => {
    const second = await b.edge.client(other);
    server.closes(client, 'enough');
    await roundTrip();
    expect(client.heard).toEqual(['{"type":7,"error":"enough"}␞']);
    const close = { type: MessageType.CloseConnectionWithAck, reason: 'go', ackId: 1 } as const;
    expect(await ackOf({ ...close, connectionId: second.id })).toBe(OK);
    expect(second.heard).toEqual(['{"type":7,"error":"go"}␞']);
    expect(await ackOf({ ...close, connectionId: second.id })).toBe(NOT_FOUND);
  });

  test('closes users, groups and all wherever they are, and is told when that is done', async () => {
    const rest = { reason: 'go', excludedConnectionIds: [], ackId: 1 };
    const user = { type: MessageType.CloseUserConnectionsWithAck, userId: 'ann', ...rest } as const;
    expect(await ackOf(user)).toBe(OK);
    expect(client.heard).toEqual(['{"type":7,"error":"go"}␞']);
    const late = await b.edge.client(other);
    expect(await ackOf({ type: MessageType.CloseConnectionsWithAck, ...rest })).toBe(OK);
    expect(late.heard).toEqual(['{"type":7,"error":"go"}␞']);
  });

  test('gives its user a group, there and for later', async () => {
    const rule = { type: MessageType.UserJoinGroupWithAck, userId: 'ann', group: 'g' } as const;
    expect(await ackOf({ ...rule, ttl: 60, ackId: 1 })).toBe(OK);
    const late = await b.edge.client(other, { userId: 'ann' });
    other.says({ type: MessageType.MultiGroupBroadcastData, groups: ['g'], payloads: json });
    expect([client.heard, late.heard]).toEqual([['{"n":1}␞'], ['{"n":1}␞']]);
  });

  const invocation = (invocationId = '1') =>
    ({
      type: MessageType.ClientInvocation,
      invocationId,
      connectionId: client.id,
      callerServerId: 'server-1',
      payloads: json,
    }) as const;
  const completion = (invocationId = '1', text = '"yes"') =>
    ({
      type: MessageType.ClientCompletion,
      invocationId,
      connectionId: client.id,
      callerServerId: 'server-1',
      protocol: 'json',
      payload: Buffer.from(text),
    }) as const;

  test('asks it, and gets its answer', async () => {
    server.says(invocation());
    await roundTrip();
    expect(client.heard).toEqual(['{"n":1}␞']);
    expect(await other.messages()).toMatchObject([{ ...invocation(), payloads: new Map() }]);
    other.says(completion());
    await roundTrip();
    expect(await server.messages()).toMatchObject([completion()]);
    expect(usedOf(a.edge.context.pools, 'client_results')).toBe(0);
    expect(usedOf(b.edge.context.pools, 'client_results')).toBe(0);
    expect(usedOf(a.edge.context.pools, 'questions')).toBe(0);
  });

  test('asks it, and is told that it has gone', async () => {
    server.says(invocation());
    await roundTrip();
    client.socket.leave(1000);
    await roundTrip();
    expect(await server.messages()).toMatchObject([
      { type: MessageType.ErrorCompletion, invocationId: '1', connectionId: client.id },
    ]);
  });

  test('asks it, and does not wait any more: the other edge forgets it', async () => {
    server.says(invocation());
    await roundTrip();
    expect(usedOf(b.edge.context.pools, 'client_results')).toBe(1);
    server.says(completion());
    await roundTrip();
    expect(usedOf(b.edge.context.pools, 'client_results')).toBe(0);
    expect(usedOf(a.edge.context.pools, 'questions')).toBe(0);
    expect((await server.messages()).length).toBe(0);
  });

  test('asks it where it serves it itself, over its connection there: nobody is left waiting', async () => {
    const own = await b.edge.server({ serverId: 'server-1', hub: 'alone' });
    const asking = await a.edge.server({ serverId: 'server-1', hub: 'alone' });
    await roundTrip();
    const served = await b.edge.client(own, { hub: 'alone' });
    asking.says({ ...invocation(), connectionId: served.id });
    await roundTrip();
    expect(served.heard).toEqual(['{"n":1}␞']);
    own.says({ ...completion(), connectionId: served.id });
    await roundTrip();
    expect(usedOf(a.edge.context.pools, 'client_results')).toBe(0);
    expect(usedOf(a.edge.context.pools, 'questions')).toBe(0);
    expect(await asking.messages()).toEqual([]);
  });

  test('lists a group of both edges, page by page', async () => {
    const near = await Promise.all([1, 2, 3].map(() => a.edge.client(server)));
    const far = await Promise.all([1, 2].map(() => b.edge.client(other)));
    for (const { id: connectionId } of [...near, ...far]) {
      server.says({ type: MessageType.JoinGroup, connectionId, group: 'g' });
    }
    await roundTrip();
    for (const [asker, size] of [
      [server, 10],
      [server, 1],
      [other, 2],
    ] as const) {
      const listed: string[] = [];
      let token: string | undefined;
      do {
        const query = { type: MessageType.GroupMemberQuery, group: 'g', ackId: 7 } as const;
        asker.says({ ...query, maxPageSize: size, top: undefined, continuationToken: token });
        await roundTrip();
        const [ack] = await asker.messages();
        if (ack?.type !== MessageType.Ack) throw new Error('no answer');
        const page = decodeGroupPage(ack.payload);
        listed.push(...page.members.map(({ connectionId }) => connectionId));
        token = page.next;
      } while (token !== undefined);
      expect(listed.toSorted()).toEqual([...near, ...far].map(({ id }) => id).toSorted());
    }
  });

  test('lists on behind an edge that has gone', async () => {
    const near = await a.edge.client(server);
    server.says({ type: MessageType.JoinGroup, connectionId: near.id, group: 'g' });
    const query = { type: MessageType.GroupMemberQuery, group: 'g', ackId: 7 } as const;
    const pageAt = async (continuationToken: string) => {
      server.says({ ...query, maxPageSize: 10, top: undefined, continuationToken });
      await b.cluster.close();
      await roundTrip();
      const [ack] = await server.messages();
      return ack?.type === MessageType.Ack ? [ack.status, decodeGroupPage(ack.payload)] : ack;
    };
    const none = { members: [], next: undefined };
    // Asked, and gone before it answers; then gone before it is asked.
    expect(await pageAt('0@b')).toEqual([OK, none]);
    expect(await pageAt('5@b')).toEqual([OK, none]);
    expect(await pageAt('5@_')).toMatchObject([OK, { members: [{ connectionId: near.id }] }]);
  });

  test('asks it, and is gone: the other edge forgets it', async () => {
    server.says(invocation());
    await roundTrip();
    expect(usedOf(b.edge.context.pools, 'client_results')).toBe(1);
    await a.cluster.close();
    await roundTrip();
    expect(usedOf(b.edge.context.pools, 'client_results')).toBe(0);
  });

  test('is told at once when the other edge is gone, and what it asks later is answered without it', async () => {
    const check = { type: MessageType.CheckUserExistenceWithAck, userId: 'ben', ackId: 1 } as const;
    server.says(invocation());
    await roundTrip();
    await b.cluster.close();
    await roundTrip();
    expect(await server.messages()).toMatchObject([
      { type: MessageType.ErrorCompletion, invocationId: '1' },
    ]);
    expect(await ackOf(check)).toBe(NOT_FOUND);
    expect(a.stats).toMatchObject({ members: 1, lost: 0 });
  });
});

describe('an edge', () => {
  test('that falls silent is asked, and gone after three seconds; it comes back as it was', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await roundTrip();
    expect([a.stats.members, b.stats.members]).toEqual([2, 2]);
    // The other edge does not sweep, but answers when it is asked.
    for (let second = 0; second < 6; second++) {
      a.edge.pass(1);
      await roundTrip();
    }
    expect(a.stats).toMatchObject({ members: 2, lost: 0 });
    const listener = broker.join('silent', {
      message() {},
      gap() {},
      gone() {},
      up() {},
      down() {},
    });
    const beat = { edgeId: 'silent', incarnation: 'i', startedAt: 1, tag: 'sile' };
    listener.publish('members', encodeClusterFrame({ kind: 'heartbeat', beat, isAsking: false }));
    await roundTrip();
    expect(a.stats.members).toBe(3);
    for (let second = 0; second < 4; second++) {
      a.edge.pass(1);
      b.edge.pass(1);
      await roundTrip();
    }
    expect(a.stats).toMatchObject({ members: 2, lost: 1 });
    listener.publish('members', encodeClusterFrame({ kind: 'heartbeat', beat, isAsking: false }));
    await roundTrip();
    expect(a.stats.members).toBe(3);
  });

  test('with the id, or the tag, of one that is there for longer has to go', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const first = join(broker, 'a', { tag: 'tag1' });
    await roundTrip();
    const sameId = join(broker, 'a', { tag: 'tag2', startsAfter: 2 });
    const sameTag = join(broker, 'c', { tag: 'tag1', startsAfter: 3 });
    await roundTrip();
    for (const { edge } of [first, sameId, sameTag]) edge.pass(1);
    await roundTrip();
    expect(first.refused).toEqual([]);
    expect(new Set(sameId.refused)).toEqual(
      new Set([
        "another edge of this cluster has the id 'a': give each edge an --edge-id of its own",
      ]),
    );
    expect(new Set(sameTag.refused)).toEqual(
      new Set(["edge 'a' happens to mint the same connection ids: start this edge again"]),
    );
  });
});

describe('an edge that takes up a hub later', () => {
  const rule = (userId: string, group: string, ttl?: number) =>
    ({
      type: MessageType.UserJoinGroup,
      userId,
      group,
      ...(ttl === undefined ? {} : { ttl }),
    }) as const;
  const toGroup = (group: string) =>
    ({ type: MessageType.MultiGroupBroadcastData, groups: [group], payloads: json }) as const;

  test('knows what groups its users were put into before: its clients wait until it does', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await settle(a, b);
    const server = await a.edge.server();
    server.says(rule('ann', 'kept'), rule('ann', 'timed', 8), rule('ann', 'over', 1));
    // More than one page of them.
    for (let n = 0; n < 2_500; n++) server.says(rule(`user ${n}`, 'crowd'));
    a.edge.pass(2);
    const other = await b.edge.server({ serverId: 'server-2' });
    const ann = b.edge.strangeClient({ userId: 'ann' });
    ann.says(JSON_HANDSHAKE);
    expect(other.session.clients).toEqual([]);
    await roundTrip();
    await roundTrip();
    expect(other.session.clients).toHaveLength(1);
    other.data(ann, '{}␞');
    const last = await b.edge.client(other, { userId: 'user 2499' });
    server.says(toGroup('kept'), toGroup('timed'), toGroup('over'), toGroup('crowd'));
    await roundTrip();
    expect(ann.heard).toEqual(['{}␞', '{"n":1}␞{"n":1}␞']);
    expect(last.heard).toEqual(['{"n":1}␞']);
    b.edge.pass(6);
    const late = await b.edge.client(other, { userId: 'ann' });
    server.says(toGroup('timed'));
    await roundTrip();
    expect(late.heard).toEqual([]);
  });

  test('takes nothing back that has been said since', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await settle(a, b);
    const server = await a.edge.server();
    server.says(rule('ann', 'old'), rule('ann', 'kept'));
    const other = await b.edge.server({ serverId: 'server-2' });
    // The rules are on their way when one of them is taken back at the edge that learns.
    other.says({ type: MessageType.UserLeaveGroup, userId: 'ann', group: 'old' });
    await roundTrip();
    const ann = await b.edge.client(other, { userId: 'ann' });
    server.says(toGroup('old'), toGroup('kept'));
    await roundTrip();
    expect(ann.heard).toEqual(['{"n":1}␞']);
  });

  test('goes on without them after three seconds, when nobody tells them', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const b = join(broker, 'b');
    const mute = broker.join('mute', { message() {}, gap() {}, gone() {}, up() {}, down() {} });
    const beat = { edgeId: 'mute', incarnation: 'i', startedAt: 1, tag: 'mute' };
    const sayBeat = () =>
      mute.publish('members', encodeClusterFrame({ kind: 'heartbeat', beat, isAsking: false }));
    await roundTrip();
    sayBeat();
    await settle(b);
    const server = await b.edge.server();
    const client = b.edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    for (let second = 0; second < 3; second++) {
      expect(server.session.clients).toEqual([]);
      sayBeat();
      await settle(b);
    }
    expect(server.session.clients).toHaveLength(1);
  });

  test('serves its own clients at once when the bus goes meanwhile', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const b = join(broker, 'b');
    await roundTrip();
    // It has not heard yet who else is there.
    const server = await b.edge.server();
    const client = b.edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    expect(server.session.clients).toEqual([]);
    b.down('it is away');
    expect(server.session.clients).toHaveLength(1);
    const second = b.edge.strangeClient({ hub: 'other' });
    second.says(JSON_HANDSHAKE);
    await b.edge.server({ hub: 'other' });
    expect(second.session.host).toBeDefined();
  });

  test('learns again after a gap', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await settle(a, b);
    const server = await a.edge.server();
    const other = await b.edge.server({ serverId: 'server-2' });
    await roundTrip();
    const ann = await b.edge.client(other, { userId: 'ann' });
    b.losesCommands = true;
    server.says(rule('ann', 'kept'));
    await roundTrip();
    b.losesCommands = false;
    b.gap('a', 'missing');
    await roundTrip();
    server.says(toGroup('kept'));
    await roundTrip();
    expect(ann.heard).toEqual(['{"n":1}␞']);
  });
});

test('what another edge says at once leaves as one write for each client', async () => {
  const broker = new MemoryBroker(SYSTEM_TIME);
  const [a, b] = [join(broker, 'a'), join(broker, 'b')];
  await settle(a, b);
  const server = await a.edge.server();
  const other = await b.edge.server({ serverId: 'server-2' });
  await roundTrip();
  const client = await b.edge.client(other);
  const broadcast = { type: MessageType.BroadcastData, excludedConnectionIds: [] } as const;
  server.says({ ...broadcast, payloads: json }, { ...broadcast, payloads: json });
  await roundTrip();
  expect(client.heard).toEqual(['{"n":1}␞{"n":1}␞']);
});

describe('what is for a group or a user', () => {
  const toGroups = (...groups: string[]) =>
    ({ type: MessageType.MultiGroupBroadcastData, groups, payloads: json }) as const;

  test('goes to the edges that have somebody of it, and once', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b, c] = ['a', 'b', 'c'].map((id) => join(broker, id)) as [Member, Member, Member];
    await settle(a, b, c);
    const server = await a.edge.server();
    const others = [];
    for (const { edge } of [b, c]) others.push(await edge.server({ serverId: 'server-2' }));
    await roundTrip();
    const [ann, ben] = [
      await b.edge.client(others[0]!, { userId: 'ann' }),
      await c.edge.client(others[1]!, { userId: 'ben' }),
    ];
    for (const { id: connectionId } of [ann, ben]) {
      server.says({ type: MessageType.JoinGroup, connectionId, group: 'both' });
    }
    server.says({ type: MessageType.JoinGroup, connectionId: ann.id, group: 'hers' });
    await roundTrip();
    b.heard.length = c.heard.length = 0;
    server.says(
      toGroups('hers'),
      { type: MessageType.UserData, userId: 'ben', payloads: json },
      toGroups('both'),
      toGroups('both', 'hers'),
      toGroups('nobody'),
    );
    await roundTrip();
    expect([ann.heard, ben.heard]).toEqual([['{"n":1}␞'.repeat(3)], ['{"n":1}␞'.repeat(3)]]);
    expect([b.heard.length, c.heard.length]).toEqual([3, 3]);
    server.says({ type: MessageType.LeaveGroup, connectionId: ann.id, group: 'hers' });
    await roundTrip();
    for (let second = 0; second < 6; second++) await settle(a, b, c);
    b.heard.length = 0;
    server.says(toGroups('hers'));
    await roundTrip();
    expect(b.heard).toEqual([]);
  });
});
