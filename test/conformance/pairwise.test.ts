import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { choosePairwise, type Factors, pairsOf } from './pairwise.ts';

const all = (cases: readonly Factors[]): Set<string> => new Set(cases.flatMap(pairsOf));

const value = fc.constantFrom('0', '1', '2');
const anyCase = fc.record({ a: value, b: value, c: value, d: value, e: value });

describe('choosePairwise', () => {
  it('covers every pair that there is, and chooses nothing for nothing', () => {
    fc.assert(
      fc.property(fc.array(anyCase), (cases) => {
        const chosen = choosePairwise(cases, (one) => one);
        expect(all(chosen)).toEqual(all(cases));
        chosen.forEach((one, at) => {
          const before = all(chosen.slice(0, at));
          expect(pairsOf(one).every((pair) => before.has(pair))).toBe(false);
        });
      }),
    );
  });

  it('needs far fewer than all', () => {
    const values = ['0', '1', '2'];
    const cases = values.flatMap((a) =>
      values.flatMap((b) => values.flatMap((c) => values.map((d) => ({ a, b, c, d })))),
    );
    expect(cases).toHaveLength(81);
    expect(choosePairwise(cases, (one) => one).length).toBeLessThanOrEqual(18);
  });

  it('takes what covers more first', () => {
    const cases = [
      { a: '0', b: '0' },
      { a: '0', b: '0', c: '0' },
    ];
    expect(choosePairwise<Factors>(cases, (one) => one)).toEqual([cases[1]]);
  });
});
