import { describe, expect, test } from 'vitest';
import type { Rule, RulesPage } from './rule.ts';
import { UserGroupRules } from './user-group-rules.ts';

/** Rules of a hub that may keep so many. */
function newRules(most = Infinity): { rules: UserGroupRules; kept: () => number } {
  let kept = 0;
  const take = (): boolean => {
    if (kept >= most) return false;
    kept++;
    return true;
  };
  const give = (rules: number): void => void (kept -= rules);
  return { rules: new UserGroupRules({ take, give }), kept: () => kept };
}

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

test('a rule holds until its time to live is over', () => {
  const { rules } = newRules();
  rules.set('ann', 'news', 5, 1000);
  expect([...rules.groups('ann', 5999)]).toEqual(['news']);
  expect([...rules.groups('ann', 6000)]).toEqual([]);
  expect([...rules.groups('ann', 1000)]).toEqual([]);
});

test('setting a rule again replaces its time to live', () => {
  const { rules } = newRules();
  rules.set('ann', 'news', 5, 0);
  rules.set('ann', 'news', 60, 0);
  expect([...rules.groups('ann', 30_000)]).toEqual(['news']);
  rules.set('ann', 'news', 1, 30_000);
  expect([...rules.groups('ann', 31_000)]).toEqual([]);
});

test('a time to live of 0 or below leaves no rule, and takes away one that was there', () => {
  const { rules, kept } = newRules();
  rules.set('ann', 'news', 60, 0);
  rules.set('ann', 'news', 0, 0);
  expect([kept(), [...rules.groups('ann', 0)]]).toEqual([0, []]);
  rules.set('ann', 'news', -5, 0);
  expect([...rules.groups('ann', -10_000)]).toEqual([]);
});

test('a rule covers those of its group that hold as long, to a second, or shorter', () => {
  const { rules } = newRules();
  const covered = (group: string, ttlSeconds: number | undefined, userId = 'ann'): boolean =>
    rules.covers({ userId, group, ttlSeconds }, 10_000);
  rules.set('ann', 'open', undefined, 0);
  rules.set('ann', 'timed', 60, 0);
  expect([covered('open', undefined), covered('open', 60)]).toEqual([true, true]);
  expect([covered('timed', 51), covered('timed', 1)]).toEqual([true, true]);
  expect([covered('timed', 51.1), covered('timed', undefined)]).toEqual([false, false]);
  expect([covered('other', 1), covered('open', 1, 'ben')]).toEqual([false, false]);
});

test('a rule without a time to live holds for a year', () => {
  const { rules } = newRules();
  rules.set('ann', 'news', undefined, 0);
  expect([...rules.groups('ann', YEAR_MS - 1)]).toEqual(['news']);
  expect([...rules.groups('ann', YEAR_MS)]).toEqual([]);
});

test('a user keeps the newest 100 rules without a time to live, and all with one', () => {
  const { rules } = newRules();
  rules.set('ann', 'timed', 60, 0);
  for (let i = 0; i < 150; i++) rules.set('ann', `open-${i}`, undefined, 0);
  for (let i = 0; i < 20; i++) rules.set('ann', `timed-${i}`, 60, 0);
  rules.set('ben', 'open-0', undefined, 0);
  const groups = [...rules.groups('ann', 0)];
  expect(groups.filter((group) => group.startsWith('open-'))).toEqual(
    Array.from({ length: 100 }, (_, i) => `open-${i + 50}`),
  );
  expect(groups.filter((group) => group.startsWith('timed'))).toHaveLength(21);
  expect([...rules.groups('ben', 0)]).toEqual(['open-0']);
});

test('a rule that is set again counts as the newest', () => {
  const { rules } = newRules();
  for (let i = 0; i < 100; i++) rules.set('ann', `open-${i}`, undefined, 0);
  rules.set('ann', 'open-0', undefined, 0);
  rules.set('ann', 'another', undefined, 0);
  const groups = [...rules.groups('ann', 0)];
  expect(groups).toHaveLength(100);
  expect(groups).toContain('open-0');
  expect(groups).not.toContain('open-1');
});

test('deleting names one group of a user, or all of them', () => {
  const { rules } = newRules();
  for (const group of ['a', 'b', 'c']) rules.set('ann', group, 60, 0);
  rules.set('ben', 'a', 60, 0);
  rules.delete('ann', 'b');
  expect([...rules.groups('ann', 0)]).toEqual(['a', 'c']);
  rules.delete('ann', undefined);
  expect([...rules.groups('ann', 0)]).toEqual([]);
  expect([...rules.groups('ben', 0)]).toEqual(['a']);
});

test('of a user nothing is left when the last rule is deleted, or over', () => {
  const { rules } = newRules();
  for (const group of ['a', 'b']) rules.set('ann', group, undefined, 0);
  rules.set('ben', 'a', 1, 0);
  for (const group of ['a', 'b']) rules.delete('ann', group);
  expect(rules.isEmpty(999)).toBe(false);
  expect([...rules.groups('ben', 1000)]).toEqual([]);
  expect(rules.isEmpty(999)).toBe(true);
});

test('a user has its other rules when some are deleted, with a time to live or without', () => {
  const { rules } = newRules();
  for (const group of ['a', 'b']) rules.set('ann', group, undefined, 0);
  rules.set('ann', 'timed', 60, 0);
  rules.delete('ann', 'a');
  expect([...rules.groups('ann', 0)]).toEqual(['b', 'timed']);
});

test('where there is no room the oldest user gives way, and room is taken for what comes', () => {
  const { rules, kept } = newRules(2);
  for (const user of ['ann', 'ben', 'cem']) rules.set(user, 'g', undefined, 0);
  const groups = ['ann', 'ben', 'cem'].map((user) => [...rules.groups(user, 0)]);
  expect([groups, kept()]).toEqual([[[], ['g'], ['g']], 2]);
});

test('where there is no room, what is over gives way before what holds', () => {
  const { rules } = newRules(2);
  rules.set('admin', 'ops', undefined, 0);
  rules.set('guest', 'room', 1, 0);
  rules.set('new', 'room', 1, 10_000);
  const groups = ['admin', 'guest', 'new'].map((user) => [...rules.groups(user, 10_000)]);
  expect(groups).toEqual([['ops'], [], ['room']]);
});

test('what is over goes away by itself, a part in each second, whoever it is of', () => {
  const { rules, kept } = newRules();
  rules.set('admin', 'ops', undefined, 0);
  for (let n = 0; n < 5_000; n++) rules.set(`guest ${n}`, 'room', 1, 0);
  const left = [1, 2, 3].map((second) => {
    rules.expire(second * 1000, 2_000);
    return kept();
  });
  expect(left).toEqual([3_002, 1_002, 1]);
  rules.set('late guest', 'room', 1, 4_000);
  rules.expire(4_999, 2_000);
  expect(kept()).toBe(2);
  rules.expire(5_000, 2_000);
  expect([kept(), [...rules.groups('admin', 5_000)]]).toEqual([1, ['ops']]);
});

test('what is over is nothing, and gone once somebody has looked', () => {
  const { rules, kept } = newRules();
  for (const group of ['a', 'b']) rules.set('ann', group, 1, 0);
  rules.set('ben', 'a', 2, 0);
  expect([rules.isEmpty(1000), kept()]).toEqual([false, 1]);
  expect([rules.isEmpty(2000), kept()]).toEqual([true, 0]);
});

test('a user keeps the newest 1,000 rules with a time to live', () => {
  const { rules, kept } = newRules();
  for (let i = 0; i < 1500; i++) rules.set('ann', `timed-${i}`, 60, 0);
  rules.set('ann', 'open', undefined, 0);
  const groups = [...rules.groups('ann', 0)];
  expect(groups).toHaveLength(1001);
  expect(groups).toContain('timed-500');
  expect(groups).not.toContain('timed-499');
  expect(kept()).toBe(1001);
});

test('a full hub forgets the rules of the user that has had some for the longest', () => {
  const { rules } = newRules(100);
  for (let user = 0; user < 10; user++) {
    for (let i = 0; i < 10; i++) rules.set(`user-${user}`, `g${i}`, 60, 0);
  }
  rules.set('ann', 'news', 60, 0);
  expect([...rules.groups('ann', 0)]).toEqual(['news']);
  expect([...rules.groups('user-0', 0)]).toEqual([]);
  expect([...rules.groups('user-1', 0)]).toHaveLength(10);
});

test('a hub that gets no room keeps no rules', () => {
  const { rules } = newRules(0);
  rules.set('ann', 'news', 60, 0);
  expect([...rules.groups('ann', 0)]).toEqual([]);
  expect(rules.isEmpty(0)).toBe(true);
});

test('room is taken for each rule, and given back however it goes', () => {
  const { rules, kept } = newRules();
  for (let i = 0; i < 150; i++) rules.set('ann', `open-${i}`, undefined, 0);
  rules.set('ann', 'short', 1, 0);
  rules.set('ann', 'short', 2, 0);
  rules.set('ben', 'news', 60, 0);
  expect(kept()).toBe(102);
  expect([...rules.groups('ann', 5000)]).toHaveLength(100);
  expect(kept()).toBe(101);
  rules.delete('ann', 'open-149');
  rules.delete('ann', 'never set');
  expect(kept()).toBe(100);
  rules.delete('ann', undefined);
  expect(kept()).toBe(1);
  rules.forgetOldest();
  expect([kept(), rules.isEmpty(0), rules.forgetOldest()]).toEqual([0, true, false]);
});

describe('a listing', () => {
  /** Its pages, and what happens behind each. */
  function pagesOf(
    rules: UserGroupRules,
    meanwhile: (page: number) => void = () => {},
  ): (readonly Rule[])[] {
    const pages: (readonly Rule[])[] = [];
    let after: number | undefined = 0;
    while (after !== undefined) {
      const { rules: some, next }: RulesPage = rules.page(after, 0);
      meanwhile(pages.push(some) - 1);
      after = next;
    }
    return pages;
  }
  const all = (rules: UserGroupRules, meanwhile?: (page: number) => void): Rule[] =>
    pagesOf(rules, meanwhile).flat();
  const long = (name: string, bytes: number): string => name.padEnd(bytes, '-');

  test('has all rules that hold, each with the time that it has left, and its age', () => {
    const rules = newRules().rules;
    rules.set('ann', 'kept', undefined, -5_000);
    rules.set('ann', 'timed', 60, -5_000);
    rules.set('ben', 'over', 1, -5_000);
    expect(all(rules)).toEqual([
      { userId: 'ann', group: 'kept', ttlSeconds: undefined, ageSeconds: 5 },
      { userId: 'ann', group: 'timed', ttlSeconds: 55, ageSeconds: 5 },
    ]);
    expect(all(newRules().rules)).toEqual([]);
  });

  test('has whoever keeps rules all the while once, whoever comes and goes between pages', () => {
    const rules = newRules().rules;
    for (let n = 0; n < 3_500; n++) rules.set(`user ${n}`, 'g', undefined, 0);
    const listed = all(rules, (page) => {
      for (let n = 0; n < 100; n++) rules.delete(`user ${page * 100 + n}`, undefined);
      rules.set(`newcomer ${page}`, 'g', undefined, 0);
    });
    const users = listed.map(({ userId }) => userId);
    expect(new Set(users).size).toBe(users.length);
    const kept = Array.from({ length: 3_100 }, (_, n) => `user ${n + 400}`);
    expect(users).toEqual(expect.arrayContaining(kept));
  });

  test('has no more than 256 KiB of names on a page, of one user or of many', () => {
    const rules = newRules().rules;
    for (let n = 0; n < 50; n++) rules.set('ann', long(`a${n} `, 20_000), undefined, 0);
    for (let n = 0; n < 50; n++) rules.set(long(`user ${n} `, 10_000), long('ü', 5_000), 60, 0);
    const pages = pagesOf(rules);
    const bytes = pages.map((page) =>
      page.reduce((sum, { userId, group }) => sum + Buffer.byteLength(userId + group), 0),
    );
    expect(Math.max(...bytes)).toBeLessThanOrEqual(256 * 1024);
    const names = pages.flat().map(({ userId, group }) => userId.slice(0, 8) + group.slice(0, 8));
    expect([names.length, new Set(names).size, pages.length]).toEqual([100, 100, 7]);
  });

  test('has one rule on a page whose names are longer than that, and none that is over 1 MiB', () => {
    const rules = newRules().rules;
    const groups = Array.from({ length: 17 }, (_, n) => long(`${n} `, 1_000_000));
    for (const group of groups) rules.set('ann', group, undefined, 0);
    rules.set('ann', long('too long', 1024 * 1024), undefined, 0);
    rules.set('ann', 'last', undefined, 0);
    const listed = pagesOf(rules).map((page) => page.map(({ group }) => group.slice(0, 4)));
    const expected = groups.map((group) => [group.slice(0, 4)]);
    expect(listed).toEqual([...expected, ['last']]);
  });

  test('has every rule that a user keeps all the while, also from one page to the next', () => {
    const rules = newRules().rules;
    const nameOf = (n: number): string => long(`g${n} `, 50_000);
    for (let n = 0; n < 40; n++) rules.set('ann', nameOf(n), n % 3 === 0 ? undefined : 60, 0);
    const listed = all(rules, (page) => {
      rules.delete('ann', nameOf(page * 4));
      rules.set('ann', `new ${page}`, undefined, 0);
    });
    const groups = listed.map(({ group }) => group);
    expect(new Set(groups).size).toBe(groups.length);
    const kept = Array.from({ length: 40 }, (_, n) => n).filter((n) => n % 4 > 0 || n >= 36);
    expect(groups).toEqual(expect.arrayContaining(kept.map(nameOf)));
  });

  test('has them, too, of a user whose rules are set again and again, and of the users behind', () => {
    const rules = newRules().rules;
    const groups = Array.from({ length: 5 }, (_, n) => long(`g${n} `, 200_000));
    const [again, last] = [long('again ', 200_000), long('last ', 200_000)];
    for (const group of groups) rules.set('ann', group, 60, 0);
    rules.set('ben', last, 60, 0);
    const listed = all(rules, (page) => {
      for (let n = 0; n < (page === 1 ? 70_000 : 0); n++) rules.set('ann', again, 60, 0);
    });
    const names = new Set(listed.map(({ userId, group }) => `${userId} ${group}`));
    const shown = [...names].map((name) => name.slice(0, 6)).toSorted();
    expect(shown).toEqual(['ann ag', 'ann g0', 'ann g1', 'ann g2', 'ann g3', 'ann g4', 'ben la']);
  });
});
