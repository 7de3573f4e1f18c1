import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { FakeServer } from '../sessions/fixtures.test-support.ts';
import { turn } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, joinPair, json, roundTrip, settle } from './cluster-member.test-support.ts';

const MESSAGE = '{"n":1}␞';
const toAll = {
  type: MessageType.BroadcastData,
  excludedConnectionIds: [],
  payloads: json,
} as const;
const toGroup = (group: string) =>
  ({ type: MessageType.MultiGroupBroadcastData, groups: [group], payloads: json }) as const;
const rule = (userId: string, group: string) => ({ userId, group, ackId: 1 });

describe('an edge that is silent, and comes back as it was,', () => {
  let a: Member;
  let b: Member;
  /** At the first edge, and at the second. */
  let server: FakeServer;
  let other: FakeServer;

  beforeEach(async () => {
    ({ a, b, server, other } = await joinPair());
  });

  /** The other edge counts as gone for this one, until it is heard again: as soon as turns pass. */
  function miss(one: Member): void {
    one.edge.pass(4);
    expect(one.stats).toMatchObject({ members: 1, lost: 1 });
  }

  test('hears then what was sent meanwhile, in order', async () => {
    const client = await b.edge.client(other, { userId: 'ann' });
    miss(a);
    const connectionIds = [client.id];
    server.says(toAll);
    server.says({ type: MessageType.MultiConnectionData, connectionIds, payloads: json });
    server.says({ type: MessageType.UserData, userId: 'ann', payloads: json });
    await roundTrip();
    expect(client.heard.join('')).toBe(MESSAGE.repeat(3));
    expect(a.stats.members).toBe(2);
  });

  test.each([
    ['for who comes', (): Member => a],
    ['for who came', (): Member => b],
  ])('learns what groups users were put into, %s', async (_, whoMisses) => {
    const ann = await b.edge.client(other, { userId: 'ann' });
    const ben = await a.edge.client(server, { userId: 'ben' });
    miss(whoMisses());
    // Each edge asks those that are there.
    server.says({ type: MessageType.UserJoinGroupWithAck, ...rule('ann', 'g') });
    other.says({ type: MessageType.UserJoinGroupWithAck, ...rule('ben', 'h') });
    await roundTrip();
    await roundTrip();
    other.says(toGroup('g'));
    server.says(toGroup('h'));
    expect([ann.heard, ben.heard]).toEqual([[MESSAGE], [MESSAGE]]);
  });

  describe('and has missed that a user was taken out of a group,', () => {
    const join = { type: MessageType.UserJoinGroupWithAck, ...rule('ann', 'g') } as const;
    const leave = { type: MessageType.UserLeaveGroupWithAck, ...rule('ann', 'g') } as const;

    /** What the user's clients hear that come to either edge now, when something is said to the group. */
    async function told(): Promise<string[]> {
      const come = [
        await a.edge.client(server, { userId: 'ann' }),
        await b.edge.client(other, { userId: 'ann' }),
      ];
      other.says(toGroup('g'));
      await roundTrip();
      return come.map(({ heard }) => heard.join(''));
    }

    test('does not bring the rule back, and takes out whom it has there', async () => {
      const ann = await a.edge.client(server, { userId: 'ann' });
      server.says(join);
      await roundTrip();
      a.edge.pass(1);
      miss(b);
      other.says(leave);
      await roundTrip();
      await roundTrip();
      expect([await told(), ann.heard]).toEqual([['', ''], []]);
    });

    test('keeps the rule if the user was put into it again meanwhile, at either edge', async () => {
      server.says(join);
      await roundTrip();
      a.edge.pass(1);
      miss(b);
      other.says(leave);
      a.edge.pass(1);
      server.says(join);
      await roundTrip();
      await roundTrip();
      expect(await told()).toEqual([MESSAGE, MESSAGE]);
    });
  });

  test('is told that nobody answers any more what it had asked', async () => {
    const client = await a.edge.client(server);
    other.says({
      type: MessageType.ClientInvocation,
      invocationId: '1',
      connectionId: client.id,
      callerServerId: 'server-2',
      payloads: json,
    });
    await roundTrip();
    miss(a);
    await roundTrip();
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        invocationId: '1',
        error: 'The edge of the app server that asked was not heard for a while.',
      },
    ]);
  });
});

test('what an edge has missed of another one, it learns from that one', async () => {
  const broker = new MemoryBroker(SYSTEM_TIME);
  const [a, b, c] = [join(broker, 'a'), join(broker, 'b'), join(broker, 'c')];
  await settle(a, b, c);
  await a.edge.server();
  const [other, third] = [await b.edge.server(), await c.edge.server()];
  await roundTrip();
  const ann = await b.edge.client(other, { userId: 'ann' });
  // The first edge, which is asked before others, has missed the same.
  for (const member of [a, b]) member.loses = 'hub.';
  third.says({ type: MessageType.UserJoinGroup, userId: 'ann', group: 'g' });
  await roundTrip();
  b.gap('c', 'missing');
  await roundTrip();
  other.says(toGroup('g'));
  expect(ann.heard).toEqual([MESSAGE]);
});

describe('an edge that has just come', () => {
  test('says what there is to say, for it does not know who hears it', async () => {
    const a = join(new MemoryBroker(SYSTEM_TIME), 'a');
    const server = await a.edge.server();
    server.says(toAll);
    expect(a.published).toEqual(['hub.chat']);
    await settle(a);
    server.says(toAll);
    expect(a.published).toEqual(['hub.chat']);
  });

  test('is part of the cluster when others have had time to answer', async () => {
    const a = join(new MemoryBroker(SYSTEM_TIME), 'a');
    // Its watch looks a tenth of a second after it has come up.
    a.edge.pass(0.9);
    await turn();
    a.edge.pass(0.1);
    expect(a.cluster.isSettled).toBe(false);
    a.edge.pass(1);
    expect(a.cluster.isSettled).toBe(true);
  });
});
