import { MessageType, MigrationLevel } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from './fixtures.test-support.ts';
import { counted, TestEdge } from './fixtures.test-support.ts';
import type { TestSettings } from './test-edge.test-support.ts';
import type { Affinity } from './served.ts';

interface World {
  readonly edge: TestEdge;
  readonly full: FakeServer;
  readonly clients: readonly FakeClient[];
}

const ANYWHERE: Affinity = { sticky: 'Disabled', serverName: undefined };

/** Clients at an app server that is alone. */
async function world(
  count: number,
  limits: TestSettings = {},
  { level = MigrationLevel.Any as number, affinity = ANYWHERE } = {},
): Promise<World> {
  const edge = new TestEdge({ rebalance: 5, ...limits });
  const full = await edge.server({ serverId: 'full', level });
  const clients: FakeClient[] = [];
  for (let i = 0; i < count; i++) clients.push(await edge.client(full, { affinity }));
  return { edge, full, clients };
}

const carried = (...servers: readonly FakeServer[]): number[] =>
  servers.map(({ session }) => session.clients.length);

const outcomes = ({ context }: TestEdge): Record<string, number> =>
  counted(context.counters.migrations);

describe('an app server that comes back', () => {
  test('gets its share, so many clients a second', async () => {
    const { edge, full } = await world(40);
    const empty = await edge.server({ serverId: 'empty', level: MigrationLevel.Any });
    edge.pass(1);
    expect(carried(full, empty)).toEqual([35, 5]);
    edge.pass(2);
    expect(carried(full, empty)).toEqual([25, 15]);
    edge.pass(5);
    expect(carried(full, empty)).toEqual([20, 20]);
    expect(outcomes(edge)).toEqual({ rebalanced: 20 });
    const messages = await empty.messages();
    const opened = messages.filter(({ type }) => type === MessageType.OpenConnection);
    expect(opened).toHaveLength(20);
  });

  test('gets it for each of its connections, from who has most', async () => {
    const { edge, full } = await world(30);
    const middle = await edge.server({ serverId: 'middle', level: MigrationLevel.Any });
    for (let i = 0; i < 10; i++) await edge.client(middle);
    const empty = [
      await edge.server({ serverId: 'empty', level: MigrationLevel.Any }),
      await edge.server({ serverId: 'empty', level: MigrationLevel.Any }),
    ];
    edge.pass(10);
    expect(carried(full, middle, ...empty)).toEqual([10, 10, 10, 10]);
  });

  test.each([
    ['--rebalance is 0', { rebalance: 0 }, {}],
    ['--migration is never', { migration: 'never' }, {}],
    ['the app bears it at a shutdown only', {}, { level: MigrationLevel.ShutdownOnly }],
    [
      'their tokens keep them there',
      {},
      { affinity: { sticky: 'Preferred', serverName: 'full' } as const },
    ],
  ] as const)('gets none where %s', async (_why, limits, rest) => {
    const { edge, full } = await world(10, limits, rest);
    const empty = await edge.server({ serverId: 'empty', level: MigrationLevel.Any });
    edge.pass(5);
    expect(carried(full, empty)).toEqual([10, 0]);
  });

  test('gets none that calls run for, until those have ended', async () => {
    const { edge, full, clients } = await world(10);
    for (const client of clients) {
      client.says('{"type":1,"invocationId":"1","target":"a","arguments":[]}␞');
    }
    const empty = await edge.server({ serverId: 'empty', level: MigrationLevel.Any });
    edge.pass(3);
    expect(carried(full, empty)).toEqual([10, 0]);
    for (const client of clients) full.data(client, '{"type":3,"invocationId":"1","result":1}␞');
    edge.pass(3);
    expect(carried(full, empty)).toEqual([5, 5]);
    expect(clients.every(({ heard }) => heard.length === 1)).toBe(true);
  });

  test('leaves small differences alone', async () => {
    const { edge, full } = await world(1);
    const empty = await edge.server({ serverId: 'empty', level: MigrationLevel.Any });
    edge.pass(3);
    expect(carried(full, empty)).toEqual([1, 0]);
  });
});
