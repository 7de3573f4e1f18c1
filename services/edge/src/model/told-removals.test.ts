import { expect, test } from 'vitest';
import { ToldRemovals } from './told-removals.ts';

test('removals of an edge keep the groups whose rules it has all the same', () => {
  const told = new ToldRemovals();
  told.add(
    [
      { userId: 'ann', group: 'g', ageSeconds: 2 },
      { userId: 'ann', group: undefined, ageSeconds: 1 },
    ],
    10_000,
  );
  told.add([{ userId: 'bob', group: 'g', ageSeconds: 3 }], 10_000);
  told.note({ userId: 'ann', group: 'h' });
  told.note({ userId: 'cat', group: 'h' });
  expect([...told]).toEqual([
    { userId: 'ann', group: 'g', at: 8_000, kept: new Set(['h']) },
    { userId: 'ann', group: undefined, at: 9_000, kept: new Set(['h']) },
    { userId: 'bob', group: 'g', at: 7_000, kept: new Set() },
  ]);
});
