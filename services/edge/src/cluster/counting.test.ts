import type { MessageFromServer } from '@trunkline/protocol';
import { AckStatus, MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { Answer } from '../model/asker.ts';
import type { Scope } from '../model/scope.ts';
import type { Count } from '../sessions/counting.ts';
import { countConnections } from '../sessions/counting.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { usedOf } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';

/** Two edges of the hub, and one that asks. */
let members: [Member, Member, Member];
let servers: FakeServer[];
let asking: Member;
let broker: MemoryBroker;

const HUB: Scope = { kind: 'hub' };
const GROUP: Scope = { kind: 'group', name: 'g' };
const ANN: Scope = { kind: 'user', name: 'ann' };

beforeEach(async () => {
  broker = new MemoryBroker(SYSTEM_TIME);
  members = [join(broker, 'a'), join(broker, 'b'), join(broker, 'c')];
  [, , asking] = members;
  await settle(...members);
  servers = await Promise.all(
    members.map(({ edge }, at) => edge.server({ serverId: `server-${at}` })),
  );
  await roundTrip();
});

/** What has come of asking by now. */
async function asked(scope: Scope, { edge }: Member = asking): Promise<(Count | Answer)[]> {
  const outcomes: (Count | Answer)[] = [];
  const add = (outcome: Count | Answer): void => void outcomes.push(outcome);
  countConnections(scope, edge.hubs.get('chat')!, edge.context, add, add);
  await roundTrip();
  return outcomes;
}

async function count(scope: Scope, of?: Member): Promise<Count> {
  const [outcome] = await asked(scope, of);
  return outcome as Count;
}

function clientAt(at: 0 | 1 | 2, userId = 'ann'): Promise<FakeClient> {
  return members[at].edge.client(servers[at]!, { userId });
}

async function say(message: MessageFromServer): Promise<void> {
  servers[0]!.says(message);
  await roundTrip();
}

const joinGroup = (...clients: FakeClient[]): Promise<unknown> =>
  Promise.all(
    clients.map(({ id }) => say({ type: MessageType.JoinGroup, connectionId: id, group: 'g' })),
  );

describe('connections are counted', () => {
  test('at all edges, by hub, group and user, and every edge says the same', async () => {
    const clients = await Promise.all([clientAt(0), clientAt(0, 'ben'), clientAt(1)]);
    await joinGroup(clients[0], clients[2]);
    for (const [scope, wanted] of [
      [HUB, 3],
      [GROUP, 2],
      [ANN, 2],
      [{ kind: 'user', name: 'nobody' }, 0],
    ] as const) {
      const counts = await Promise.all(members.map((member) => count(scope, member)));
      expect(counts.map((one) => one.count)).toEqual([wanted, wanted, wanted]);
      expect(new Set(counts.map(({ version }) => version)).size).toBe(1);
    }
  });

  test('with a version that changes with who is there, at whichever edge, and else does not', async () => {
    const first = await clientAt(0);
    const versions = new Set<string>();
    const differs = async (): Promise<void> => {
      const before = versions.size;
      const { version } = await count(GROUP);
      expect((await count(GROUP)).version).toBe(version);
      expect(versions.add(version).size).toBe(before + 1);
    };
    await differs();
    await joinGroup(first);
    await differs();
    const second = await clientAt(1);
    await joinGroup(second);
    await differs();
    await say({ type: MessageType.LeaveGroup, connectionId: first.id, group: 'g' });
    await joinGroup(first);
    await differs();
    second.socket.leave(1000);
    await differs();
    // The group is gone, and made anew.
    await say({ type: MessageType.LeaveGroup, connectionId: first.id, group: 'g' });
    await joinGroup(first);
    await differs();
  });
});

describe('an edge', () => {
  beforeEach(async () => {
    await Promise.all([clientAt(0), clientAt(1), clientAt(1)]);
  });

  test('that has gone is out of the count and the version', async () => {
    const before = await count(HUB);
    await members[1].cluster.close();
    await roundTrip();
    const after = await count(HUB);
    expect([before.count, after.count]).toEqual([3, 1]);
    expect(after.version).not.toBe(before.version);
    expect(usedOf(asking.edge.context.pools, 'questions')).toBe(0);
  });

  test('that goes without an answer is out of it, too', async () => {
    members[1].loses = '';
    const outcomes: (Count | Answer)[] = [];
    const add = (outcome: Count | Answer): void => void outcomes.push(outcome);
    const { edge } = asking;
    countConnections(HUB, edge.hubs.get('chat')!, edge.context, add, add);
    await roundTrip();
    expect(outcomes).toEqual([]);
    await members[1].cluster.close();
    await roundTrip();
    expect(outcomes).toMatchObject([{ count: 1 }]);
  });

  test('that does not answer leaves the count unknown, and nothing waits', async () => {
    members[1].loses = 'edge.';
    const outcomes: (Count | Answer)[] = [];
    const add = (outcome: Count | Answer): void => void outcomes.push(outcome);
    const { edge } = asking;
    countConnections(HUB, edge.hubs.get('chat')!, edge.context, add, add);
    for (let second = 0; second < 4; second++) {
      for (const member of members) member.edge.pass(1);
      await roundTrip();
    }
    expect(outcomes).toMatchObject([{ status: AckStatus.Timeout }]);
    expect(usedOf(edge.context.pools, 'questions')).toBe(0);
  });

  test('that does not know the hub has no part in it', async () => {
    const late = join(broker, 'd');
    await settle(...members, late);
    expect((await count(HUB)).count).toBe(3);
  });

  test('does nothing of the kind for an app server', async () => {
    const scope = { group: undefined, userId: undefined };
    const page = { continuationToken: undefined, maxPageSize: 10 };
    await say({ type: MessageType.CountQuery, ...scope });
    await say({ type: MessageType.ConnectionsQuery, ...scope, ...page });
    expect(await servers[0]!.messages()).toEqual([]);
  });
});
