import type { MessageFromServer } from '@trunkline/protocol';
import { decodeGroupPage, MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { usedOf } from '../sessions/fixtures.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { joinPair, json, roundTrip } from './cluster-member.test-support.ts';

describe('an app server at one edge, of a client at another', () => {
  let a: Member;
  let b: Member;
  /** At the first edge, and at the second. */
  let server: FakeServer;
  let other: FakeServer;
  let client: FakeClient;

  beforeEach(async () => {
    ({ a, b, server, other } = await joinPair());
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

  test('asks it, and is told at once of an answer that is longer than the bus takes', async () => {
    b.refusesOver = 1000;
    server.says(invocation());
    await roundTrip();
    other.says(completion('1', JSON.stringify('x'.repeat(2000))));
    await roundTrip();
    expect(await server.messages()).toMatchObject([
      { type: MessageType.ErrorCompletion, invocationId: '1', connectionId: client.id },
    ]);
    expect(usedOf(a.edge.context.pools, 'questions')).toBe(0);
  });

  test('asks it, and is told where the question or its answer may be lost', async () => {
    server.says(invocation());
    await roundTrip();
    a.gap('b', 'missing');
    await roundTrip();
    expect(await server.messages()).toMatchObject([
      { type: MessageType.ErrorCompletion, invocationId: '1', connectionId: client.id },
    ]);
    expect(usedOf(a.edge.context.pools, 'client_results')).toBe(0);
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
