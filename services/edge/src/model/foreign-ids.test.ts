import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ForeignIds } from './foreign-ids.ts';

/** Of few letters, so that ends of ids are the same now and then. */
const id = fc
  .tuple(fc.constantFrom('tagA', 'tagB'), fc.stringMatching(/^[ab]{2}$/))
  .map(([tag, end]) => `${tag}AAAAAABxxxxxxx${end}`);
const step = fc.tuple(fc.boolean(), id);

test('those are found that were added and not deleted, by id and by its bytes', () => {
  const given = fc.property(fc.array(step), id, (steps, asked) => {
    const ids = new ForeignIds<{ readonly id: string }>();
    const naive = new Map<string, { readonly id: string }>();
    const deleted: [boolean, boolean][] = [];
    for (const [isAdded, id] of steps) {
      const known = naive.get(id);
      if (isAdded && known === undefined) {
        const entry = { id };
        ids.add(entry);
        naive.set(id, entry);
      } else if (!isAdded) {
        deleted.push([ids.delete(known ?? { id }), known !== undefined]);
        naive.delete(id);
      }
    }
    expect(deleted.every(([is, should]) => is === should)).toBe(true);
    expect(ids.size).toBe(naive.size);
    for (const one of [...naive.keys(), asked]) {
      expect(ids.get(one)).toBe(naive.get(one));
      const bytes = Buffer.from(`..${one}..`);
      expect(ids.find(bytes, 2, 2 + one.length)).toBe(naive.get(one));
    }
  });
  fc.assert(given, { numRuns: 300 });
});

test('what is no id finds nobody', () => {
  const ids = new ForeignIds<{ readonly id: string }>();
  ids.add({ id: 'tagAAAAAAABxxxxxxxxx' });
  for (const text of ['', 'x', 'xxxxx', 'xxxxxxxxxxxxxxxxxxxxxxxxx', 'tagAAAAAAAB€€€€€€€€€']) {
    expect(ids.get(text)).toBeUndefined();
    expect(ids.find(Buffer.from(text), 0, text.length)).toBeUndefined();
  }
});
