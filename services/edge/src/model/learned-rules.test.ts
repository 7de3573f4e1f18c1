import { expect, test } from 'vitest';
import { NewerRules } from './learned-rules.ts';

test('what has been said of some groups of a user is newer for those alone', () => {
  const newer = new NewerRules();
  newer.note('ann', 'g');
  newer.note('ann', 'h');
  const known = ['g', 'h', 'i'].filter((group) => newer.has({ userId: 'ann', group }));
  expect(known).toEqual(['g', 'h']);
  expect(newer.has({ userId: 'bob', group: 'g' })).toBe(false);
});

test('what has been said of all groups of a user is newer for each, whatever follows', () => {
  const newer = new NewerRules();
  newer.note('ann', 'g');
  newer.note('ann', undefined);
  newer.note('ann', 'g');
  expect(newer.has({ userId: 'ann', group: 'g' })).toBe(true);
  expect(newer.has({ userId: 'ann', group: 'i' })).toBe(true);
  expect(newer.has({ userId: 'bob', group: 'g' })).toBe(false);
});
