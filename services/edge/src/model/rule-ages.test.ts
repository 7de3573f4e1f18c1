import { describe, expect, test } from 'vitest';
import { UserGroupRules } from './user-group-rules.ts';

const rule = (ageSeconds: number) => ({
  userId: 'ann',
  group: 'g',
  ttlSeconds: undefined,
  ageSeconds,
});
const make = (): UserGroupRules => new UserGroupRules({ take: () => true, give: () => {} });
const NOW = 100_000;

describe('a rule that another edge has, too', () => {
  test('is newer there when it was set over a second later', () => {
    const rules = make();
    rules.set('ann', 'g', undefined, 50_000);
    // Set there at 49 s, at 51 s, and a moment later.
    expect([51, 49, 48.999].map((age) => rules.isNewer(rule(age), NOW))).toEqual([
      false,
      false,
      true,
    ]);
    expect(rules.isNewer({ ...rule(1), group: 'other' }, NOW)).toBe(true);
  });

  test('has been set at the later of both times', () => {
    const rules = make();
    rules.set('ann', 'g', undefined, 50_000);
    rules.confirm(rule(60), NOW);
    expect(rules.setBefore('ann', 'g', 50_001)).toEqual(['g']);
    expect(rules.setBefore('ann', 'g', 50_000)).toEqual([]);
    rules.confirm(rule(20), NOW);
    expect(rules.setBefore('ann', 'g', 80_000)).toEqual([]);
    expect(rules.setBefore('ann', 'g', 80_001)).toEqual(['g']);
    rules.confirm({ ...rule(1), userId: 'bob' }, NOW);
    expect(rules.has('bob', 'g', NOW)).toBe(false);
  });

  test('set before a time is found for one group or all, and not for others', () => {
    const rules = make();
    rules.set('ann', 'g', undefined, 1_000);
    rules.set('ann', 'h', 1_000, 2_000);
    expect(rules.setBefore('ann', undefined, 3_000)).toEqual(['g', 'h']);
    expect(rules.setBefore('ann', undefined, 2_000)).toEqual(['g']);
    expect(rules.setBefore('ann', 'h', 3_000)).toEqual(['h']);
    expect(rules.setBefore('bob', undefined, 3_000)).toEqual([]);
  });

  test('covers one that ends no more than a second later', () => {
    const rules = make();
    rules.set('ann', 'g', 10, NOW);
    const covers = (ttlSeconds: number | undefined): boolean =>
      rules.covers({ userId: 'ann', group: 'g', ttlSeconds }, NOW);
    expect([covers(10), covers(11), covers(11.001), covers(undefined)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    rules.set('ann', 'g', undefined, NOW);
    expect([covers(1e6), covers(undefined)]).toEqual([true, true]);
  });
});
