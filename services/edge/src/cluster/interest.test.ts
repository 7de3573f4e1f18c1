import { MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import { JSON_HANDSHAKE } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, joinPair, json, roundTrip, settle } from './cluster-member.test-support.ts';

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

  test('is acked, where somebody joins, once others are heard that send it', async () => {
    const { a, b, server, other } = await joinPair();
    const client = await b.edge.client(other, { userId: 'ann' });
    const join = { type: MessageType.JoinGroupWithAck, connectionId: client.id, ackId: 1 } as const;
    const joinUser = { type: MessageType.UserJoinGroupWithAck, userId: 'ann', ackId: 2 } as const;
    const asked = [
      // From the edge of the client, and from the other one.
      {
        asker: other,
        messages: [
          { ...join, group: 'g1' },
          { ...joinUser, group: 'g2' },
        ],
      },
      {
        asker: server,
        messages: [
          { ...join, group: 'g3' },
          { ...joinUser, group: 'g4' },
        ],
      },
    ];
    for (const { asker, messages } of asked) {
      for (const message of messages) {
        b.subscribing = [];
        asker.says(message);
        await roundTrip();
        expect(await asker.heard()).toEqual([]);
        for (const inForce of b.subscribing) inForce();
        await roundTrip();
        expect(await asker.heard()).toEqual([['ack', message.ackId, 1]]);
      }
    }
    expect(a.refused).toEqual([]);
  });

  test('a client is given to its app server when what others say to its user is heard', async () => {
    const { b, server, other } = await joinPair();
    b.subscribing = [];
    const client = b.edge.strangeClient({ userId: 'ann' });
    client.says(JSON_HANDSHAKE);
    await roundTrip();
    expect(await other.heard()).toEqual([]);
    for (const inForce of b.subscribing) inForce();
    b.subscribing = undefined;
    expect((await other.heard()).map(([kind]) => kind)).toEqual(['open', 'data']);
    other.data(client, '{}␞');
    server.says({ type: MessageType.UserData, userId: 'ann', payloads: json });
    await roundTrip();
    expect(client.heard).toEqual(['{}␞', '{"n":1}␞']);
  });

  test('a client that goes, or whose app server goes, while that is awaited is forgotten', async () => {
    const { b, other } = await joinPair();
    b.subscribing = [];
    const [gone, left] = ['bob', 'ann'].map((userId) => b.edge.strangeClient({ userId }));
    for (const client of [gone, left]) client!.says(JSON_HANDSHAKE);
    gone!.socket.leave(1000);
    other.socket.leave(1006);
    for (const inForce of b.subscribing) inForce();
    b.subscribing = undefined;
    expect(left!.session.host).toBeUndefined();
    const next = await b.edge.server({ serverId: 'server-3' });
    expect(next.session.clients).toEqual([left!.session]);
    expect(b.edge.closes).toEqual({ Normal: 1 });
  });
});
