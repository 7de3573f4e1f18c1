import { MessageType, MigrationLevel } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { counted } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';
import { guestOf, serverAt } from './guests.test-support.ts';

const CALL = '{"type":1,"invocationId":"1","target":"a","arguments":[]}␞';
const RESULT = '{"type":3,"invocationId":"1","result":1}␞';

let owner: Member;
let host: Member;

beforeEach(async () => {
  const broker = new MemoryBroker(SYSTEM_TIME);
  [owner, host] = [join(broker, 'owner', { limits: { rebalance: 2 } }), join(broker, 'host')];
  await settle(owner, host);
});

/** Clients at the first edge that an app server of the second serves. */
async function crowd(count: number, level: number): Promise<[FakeServer, FakeClient[]]> {
  const there = await serverAt(host, { serverId: 'there', level });
  const clients: FakeClient[] = [];
  for (let n = 0; n < count; n++) clients.push(await guestOf(there, owner));
  return [there, clients];
}

const carried = (...servers: readonly FakeServer[]): number[] =>
  servers.map(({ session }) => session.clients.length);

describe('clients that an app server of another edge serves', () => {
  test('come to one of their own edge, so many a second, and are told nothing', async () => {
    const [there, clients] = await crowd(5, MigrationLevel.Any);
    const here = await serverAt(owner, { serverId: 'here', level: MigrationLevel.Any });
    await settle(owner, host);
    expect(carried(here)).toEqual([2]);
    await settle(owner, host);
    await settle(owner, host);
    expect(carried(here)).toEqual([5]);
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([0, 0]);
    expect(counted(owner.edge.context.counters.migrations)).toEqual({ rebalanced: 5 });
    const opened = (await here.messages()).filter(
      ({ type }) => type === MessageType.OpenConnection,
    );
    expect(opened).toHaveLength(5);
    const closed = (await there.messages()).filter(
      ({ type }) => type === MessageType.CloseConnection,
    );
    expect(closed).toHaveLength(5);
    expect(clients.flatMap(({ heard }) => heard)).toEqual([]);
  });

  test('stay until their calls have ended', async () => {
    const [there, [client]] = await crowd(1, MigrationLevel.Any);
    client!.says(CALL);
    await roundTrip();
    const here = await serverAt(owner, { serverId: 'here', level: MigrationLevel.Any });
    await settle(owner, host);
    expect(carried(here)).toEqual([0]);
    there.data(client!, RESULT);
    await roundTrip();
    await settle(owner, host);
    await settle(owner, host);
    expect(carried(here)).toEqual([1]);
    expect(client!.heard).toEqual([RESULT]);
  });

  test.each([
    ['their app bears a move at a shutdown only', MigrationLevel.ShutdownOnly, 'here'],
    ['it is the same process, which has the client already', MigrationLevel.Any, 'there'],
  ])('stay where %s', async (_why, level, serverId) => {
    await crowd(3, level);
    const here = await serverAt(owner, { serverId, level });
    await settle(owner, host);
    await settle(owner, host);
    expect(carried(here)).toEqual([0]);
  });
});
