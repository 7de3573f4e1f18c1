import { readFileSync } from 'node:fs';
import { REFUSAL_KINDS } from '@trunkline/protocol';
import { METRICS } from '@trunkline/telemetry';
import { describe, expect, test } from 'vitest';
import type { PoolName } from '../../services/edge/src/pools.ts';
import { LEAST_KEPT } from '../../services/edge/src/open-files.ts';
import { poolLimits, POOLS } from '../../services/edge/src/pools.ts';

/** The table of bounds in ARCHITECTURE.md is a promise; here its pools are held to the code. */

const NAMES = Object.keys(POOLS) as PoolName[];
const UNITS = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

interface Row {
  readonly what: string;
  readonly share: string;
  readonly sum: string;
  readonly over: string;
}

/** Every row of the table; its first cell ends in the pool's name where there is one. */
function rows(): Row[] {
  const text = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const [table = ''] = text.slice(text.indexOf('| what | one | share | sum |')).split('\n\n', 1);
  return table
    .split('\n')
    .slice(2)
    .map((line) => {
      const [, what = '', , share = '', sum = '', over = ''] = line.split('|').map((c) => c.trim());
      return { what, share, sum, over };
    });
}

const poolOf = (row: Row): string | undefined => /\(`([a-z_]+)`\)$/.exec(row.what)?.[1];

/** The first amount of a cell: `user: 32 MiB, four of the longest` is 33,554,432. */
function amount(cell: string): number {
  const [, digits = '', unit = ''] = /([\d,]+) ?(\w*)/.exec(cell) ?? [];
  return Number(digits.replaceAll(',', '')) * (UNITS[unit as keyof typeof UNITS] ?? 1);
}

describe('the table of bounds', () => {
  test('names each pool once, and no other', () => {
    const named = rows().flatMap((row) => poolOf(row) ?? []);
    expect(named).toHaveLength(NAMES.length);
    expect(new Set(named)).toEqual(new Set(NAMES));
  });

  test.each(NAMES)('has the share, the sum and the owner of %s', (pool) => {
    const row = rows().find((one) => poolOf(one) === pool)!;
    const { owner, share, total } = POOLS[pool];
    expect([amount(row.share), amount(row.sum)]).toEqual([share, total]);
    expect(row.share).toMatch(owner === 'user or token' ? /^user: / : new RegExp(`^${owner}: `));
  });

  test('says of every row what happens over it', () => {
    expect(rows().filter(({ over }) => over === '')).toEqual([]);
    expect(rows().length).toBeGreaterThan(30);
  });
});

test('settings leave the pools as they are listed unless they say otherwise', () => {
  const megabyte = 1024 * 1024;
  const limits = poolLimits({
    requests: 1024,
    bodyBytes: 8 * megabyte,
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
