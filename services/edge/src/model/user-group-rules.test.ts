import { expect, test } from 'vitest';
import { UserGroupRules } from './user-group-rules.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

test('a rule holds until its time to live is over', () => {
  const rules = new UserGroupRules();
  rules.set('ann', 'news', 5, 1000);
  expect(rules.groups('ann', 5999)).toEqual(['news']);
  expect(rules.groups('ann', 6000)).toEqual([]);
  expect(rules.groups('ann', 1000)).toEqual([]);
});

test('setting a rule again replaces its time to live', () => {
  const rules = new UserGroupRules();
  rules.set('ann', 'news', 5, 0);
  rules.set('ann', 'news', 60, 0);
  expect(rules.groups('ann', 30_000)).toEqual(['news']);
  rules.set('ann', 'news', 1, 30_000);
  expect(rules.groups('ann', 31_000)).toEqual([]);
});

test('a time to live of 0 or below leaves no rule, and takes away one that was there', () => {
  const rules = new UserGroupRules();
  rules.set('ann', 'news', 60, 0);
  rules.set('ann', 'news', 0, 0);
  expect(rules.groups('ann', 0)).toEqual([]);
  rules.set('ann', 'news', -5, 0);
  expect(rules.groups('ann', -10_000)).toEqual([]);
});

test('a rule without a time to live holds for a year', () => {
  const rules = new UserGroupRules();
  rules.set('ann', 'news', undefined, 0);
  expect(rules.groups('ann', YEAR_MS - 1)).toEqual(['news']);
  expect(rules.groups('ann', YEAR_MS)).toEqual([]);
});

test('a user keeps the newest 100 rules without a time to live, and all with one', () => {
  const rules = new UserGroupRules();
  rules.set('ann', 'timed', 60, 0);
  for (let i = 0; i < 150; i++) rules.set('ann', `open-${i}`, undefined, 0);
  for (let i = 0; i < 20; i++) rules.set('ann', `timed-${i}`, 60, 0);
  rules.set('ben', 'open-0', undefined, 0);
  const groups = rules.groups('ann', 0);
  expect(groups.filter((group) => group.startsWith('open-'))).toEqual(
    Array.from({ length: 100 }, (_, i) => `open-${i + 50}`),
  );
  expect(groups.filter((group) => group.startsWith('timed'))).toHaveLength(21);
  expect(rules.groups('ben', 0)).toEqual(['open-0']);
});

test('a rule that is set again counts as the newest', () => {
  const rules = new UserGroupRules();
  for (let i = 0; i < 100; i++) rules.set('ann', `open-${i}`, undefined, 0);
  rules.set('ann', 'open-0', undefined, 0);
  rules.set('ann', 'another', undefined, 0);
  const groups = rules.groups('ann', 0);
  expect(groups).toHaveLength(100);
  expect(groups).toContain('open-0');
  expect(groups).not.toContain('open-1');
});

test('deleting names one group of a user, or all of them', () => {
  const rules = new UserGroupRules();
  for (const group of ['a', 'b', 'c']) rules.set('ann', group, 60, 0);
  rules.set('ben', 'a', 60, 0);
  rules.delete('ann', 'b');
  expect(rules.groups('ann', 0)).toEqual(['a', 'c']);
  rules.delete('ann', undefined);
  expect(rules.groups('ann', 0)).toEqual([]);
  expect(rules.groups('ben', 0)).toEqual(['a']);
});

test('a full hub forgets the rules of the user that has had some for the longest', () => {
  const rules = new UserGroupRules();
  for (let user = 0; user < 1000; user++) {
    for (let i = 0; i < 1000; i++) rules.set(`user-${user}`, `g${i}`, 60, 0);
  }
  rules.set('ann', 'news', 60, 0);
  expect(rules.groups('ann', 0)).toEqual(['news']);
  expect(rules.groups('user-0', 0)).toEqual([]);
  expect(rules.groups('user-1', 0)).toHaveLength(1000);
});
