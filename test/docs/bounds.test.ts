import { readFileSync } from 'node:fs';
import { REFUSAL_KINDS } from '@trunkline/protocol';
import { METRICS } from '@trunkline/telemetry';
import { describe, expect, test } from 'vitest';
import type { PoolName } from '../../services/edge/src/pools.ts';
import { MAX_PER_CLIENT } from '../../packages/sdk/src/sending/routed-calls.ts';
import { MAX_METHODS } from '../../packages/sdk/src/sending/send-proxy.ts';
import { RECORDS_PER_TURN } from '../../packages/sdk/src/clients/inbox.ts';
import { FREE_FOR_CALLS } from '../../packages/sdk/src/clients/pending-bytes.ts';
import { WINDOW_BYTES } from '../../packages/sdk/src/clients/stream-flow.ts';
import {
  HUB_OPTIONS,
  PRESENCE_OPTIONS,
  SERVER_OPTIONS,
} from '../../packages/sdk/src/option-tables/tables.ts';
import { hubSettings, serverSettings } from '../../packages/sdk/src/options.ts';
import { MAXIMUM_MEMBERS } from '../../packages/sdk/src/presence/presence.ts';
import { MOST_WAITING } from '../../packages/sdk/src/trunk/acks.ts';
import { MAX_ON_DEMAND } from '../../packages/sdk/src/trunk/connection-pool.ts';
import { LEAST_KEPT } from '../../services/edge/src/open-files.ts';
import { poolLimits, POOLS } from '../../services/edge/src/pools.ts';

/** The tables of bounds in ARCHITECTURE.md are a promise; here they are held to the code. */

const NAMES = Object.keys(POOLS) as PoolName[];
const UNITS = { s: 1000, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

interface Row {
  readonly what: string;
  readonly one: string;
  readonly share: string;
  readonly sum: string;
  readonly over: string;
}

/** The rows of each table, that of the edge and that of the SDK. */
function tables(): Row[][] {
  const text = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const [, ...rest] = text.split('| what | one | share | sum | over it |\n');
  return rest.map((table) => table.split('\n\n', 1)[0]!.trim().split('\n').slice(1).map(rowOf));
}

function rowOf(line: string): Row {
  const cells = line.split('|').map((cell) => cell.trim());
  const [, what = '', one = '', share = '', sum = '', over = ''] = cells;
  return { what, one, share, sum, over };
}

const [edge = [], sdk = []] = tables();

/** The first cell ends in the pool's name where there is one. */
const poolOf = (row: Row): string | undefined => /\(`([a-z_]+)`\)$/.exec(row.what)?.[1];

/** The first amount of a cell: `user: 32 MiB, four of the longest` is 33,554,432. */
function amount(cell: string): number {
  const [, digits = '', unit = ''] = /([\d,]+) ?(\w*)/.exec(cell) ?? [];
  return Number(digits.replaceAll(',', '')) * (UNITS[unit as keyof typeof UNITS] ?? 1);
}

describe('the table of bounds', () => {
  test('names each pool once, and no other', () => {
    const named = edge.flatMap((row) => poolOf(row) ?? []);
    expect(named).toHaveLength(NAMES.length);
    expect(new Set(named)).toEqual(new Set(NAMES));
  });

  test.each(NAMES)('has the share, the sum and the owner of %s', (pool) => {
    const row = edge.find((one) => poolOf(one) === pool)!;
    const { owner, share, total } = POOLS[pool];
    expect([amount(row.share), amount(row.sum)]).toEqual([share, total]);
    expect(row.share).toMatch(owner === 'user or token' ? /^user: / : new RegExp(`^${owner}: `));
  });

  test('says of every row what happens over it', () => {
    expect([...edge, ...sdk].filter(({ over }) => over === '')).toEqual([]);
    expect(edge.length).toBeGreaterThan(30);
  });
});

describe("the SDK's", () => {
  const server = serverSettings({ connectionString: 'given' });
  const presence = { maximumMembers: MAXIMUM_MEMBERS };
  const defaults = new Map(Object.entries({ ...server, ...hubSettings({}, {}), ...presence }));
  const cells = sdk.flatMap(({ what, one, share, sum }) => [what, one, share, sum]);
  const named = cells.flatMap((cell) =>
    [...cell.matchAll(/([\d,]+(?: \w+)?) \(`(\w+)`\)/g)].map(([, text, name]) => ({ text, name })),
  );

  test('names each option that is a bound', () => {
    const names = [HUB_OPTIONS, SERVER_OPTIONS, PRESENCE_OPTIONS].flatMap((table) =>
      Object.keys(table),
    );
    const bounds = names.filter((name) => /^maximum|Capacity$|Timeout|Count$/.test(name));
    expect(new Set(named.map(({ name }) => name))).toEqual(new Set(bounds));
  });

  test.each(named)('$text is the default of $name', ({ text, name }) => {
    expect(amount(text!)).toBe(defaults.get(name!));
  });

  test.each<[string, 'one' | 'share' | 'sum', RegExp, number]>([
    ['of clients, what is in hand', 'sum', /past (.*KiB)/, FREE_FOR_CALLS],
    ['work on what', 'one', /or ([\d,]+) messages/, RECORDS_PER_TURN],
    ['queue to the service', 'sum', /, ([\d,]+) more/, MAX_ON_DEMAND],
    ['a stream of items', 'one', /(.*KiB)/, WINDOW_BYTES],
    ['confirmations', 'sum', /(.*)/, MOST_WAITING],
    ['answers awaited', 'share', /client: (.*)/, POOLS.client_results_of_client.share],
    ['answers awaited', 'sum', /hub: ([\d,]+)/, POOLS.client_results.share],
    ['questions of other', 'share', /client: (.*)/, MAX_PER_CLIENT],
    ['methods of clients', 'sum', /(.*)/, MAX_METHODS],
  ])('%s: the %s', (what, column, pattern, value) => {
    const row = sdk.find((one) => one.what.startsWith(what))!;
    expect(amount(pattern.exec(row[column])![1]!)).toBe(value);
  });
});

test('settings leave the pools as they are listed unless they say otherwise', () => {
  const megabyte = 1024 * 1024;
  const limits = poolLimits({
    requests: 1024,
    maxBatchBytes: 8 * megabyte,
    maxMessageBytes: 4 * megabyte,
    kept: LEAST_KEPT,
  });
  for (const [pool, { share, total }] of Object.entries(limits)) {
    expect([pool, POOLS[pool as PoolName]]).toEqual([
      pool,
      expect.objectContaining({ share, total }),
    ]);
  }
});

test('metrics know the pools, and how they refuse', () => {
  expect(METRICS.trunkline_pool_used.labels.pool).toEqual(NAMES);
  expect(METRICS.trunkline_pool_limit.labels.pool).toEqual(NAMES);
  expect(METRICS.trunkline_pool_refusals_total.labels).toEqual({
    pool: NAMES,
    kind: REFUSAL_KINDS,
  });
});
