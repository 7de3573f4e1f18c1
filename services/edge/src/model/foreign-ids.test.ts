import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ForeignIds } from './foreign-ids.ts';

/** Few tails, so that many ids have one in common. */
const id = fc
  .tuple(
    fc.constantFrom('edge', 'from', 'over'),
    fc.nat(9),
    fc.constantFrom('Ab-_9', 'Ab-_8', 'zzzzz'),
  )
  .map(([tag, n, tail]) => `${tag}0000000000${n}${tail}`);

test('random use agrees with a map from id to item', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), id), { maxLength: 60, size: 'max' });
  const given = fc.property(steps, id, (all, asked) => {
    const table = new ForeignIds<{ id: string }>();
    const map = new Map<string, { id: string }>();
    for (const [adds, one] of all) {
      if (!adds) {
        table.delete(one);
        map.delete(one);
      } else if (!map.has(one)) {
        const item = { id: one };
        table.add(item);
        map.set(one, item);
      }
    }
    const bytes = Buffer.from(`<${asked}>`);
    expect(table.size).toBe(map.size);
    expect(table.get(asked)).toBe(map.get(asked));
    expect(table.find(bytes, 1, bytes.length - 1)).toBe(map.get(asked));
  });
  fc.assert(given, { numRuns: 500 });
});

test('what is no id of an edge is not there', () => {
  const table = new ForeignIds<{ id: string }>();
  table.add({ id: 'edge0000000000012345' });
  expect(table.get('12345')).toBeUndefined();
  expect(table.find(Buffer.from('12345'), 0, 5)).toBeUndefined();
  table.delete('12345');
  expect(table.size).toBe(1);
});
