import { describe, expect, test } from 'vitest';
import { Removals } from './removals.ts';

const MINUTE = 60_000;

describe('removals', () => {
  test('the latest of the same counts, in whatever order they are heard', () => {
    const removals = new Removals();
    removals.note('ann', 'g', 5_000);
    removals.note('ann', 'g', 3_000);
    const rule = (ageSeconds: number) => ({
      userId: 'ann',
      group: 'g',
      ttlSeconds: undefined,
      ageSeconds,
    });
    // Set at 4 s, at 5 s and at 6 s.
    const after = [6, 5, 4].map((age) => removals.isAfter(rule(age), 10_000));
    expect(after).toEqual([true, false, false]);
    removals.note('ann', 'g', 7_000);
    expect(removals.isAfter(rule(4), 10_000)).toBe(true);
    expect(removals.size).toBe(1);
  });

  test('of all groups of a user is one of each', () => {
    const removals = new Removals();
    removals.note('ann', undefined, 5_000);
    const rule = { group: 'g', ttlSeconds: undefined, ageSeconds: 6 };
    expect(removals.isAfter({ userId: 'ann', ...rule }, 10_000)).toBe(true);
    expect(removals.isAfter({ userId: 'bob', ...rule }, 10_000)).toBe(false);
  });

  test('are told for ten minutes, and forgotten then', () => {
    const removals = new Removals();
    removals.note('ann', 'g', 0);
    removals.note('bob', 'g', 5 * MINUTE);
    const told = (now: number): string[] =>
      removals.page(0, now).removals.map(({ userId }) => userId);
    expect(told(10 * MINUTE - 1)).toEqual(['ann', 'bob']);
    expect(told(10 * MINUTE)).toEqual(['bob']);
    removals.expire(10 * MINUTE - 1);
    expect(removals.size).toBe(2);
    removals.expire(10 * MINUTE);
    expect(removals.size).toBe(1);
  });

  test('are remembered up to so many, and so many characters: the latest', () => {
    const removals = new Removals();
    for (let n = 0; n < 10_001; n++) removals.note(`${n}`, 'g', n);
    expect(removals.size).toBe(10_000);
    const long = new Removals();
    // With what tells user and group apart, each has 1,000 characters.
    const group = 'x'.repeat(1_000 - '["00000",""]'.length);
    for (let n = 0; n < 1_001; n++) long.note(`${n}`.padStart(5, '0'), group, n);
    expect(long.size).toBe(1_000);
  });
});
