import { describe, expect, test } from 'vitest';

import { BUGS } from './bugs.ts';
import { shrink } from './shrink.ts';
import { planOfSeed, simulate } from './simulate.ts';

const STEPS = 400;

describe('a cluster of three edges, whatever happens to it', () => {
  test.each(Array.from({ length: 16 }, (_, at) => at + 1))('seed %d', (seed) => {
    expect(simulate(seed, planOfSeed(seed, STEPS))).toEqual([]);
  });

  test('goes the same way again', () => {
    const [one, other] = [planOfSeed(7, 50), planOfSeed(7, 50)];
    expect(other).toEqual(one);
    expect(planOfSeed(8, 50)).not.toEqual(one);
  });
});

// Many seeds one after the other, on a machine that others share.
describe('a bug put in on purpose is found within 50 seeds', { timeout: 240_000 }, () => {
  test.each(BUGS)('$name', ({ plant }) => {
    const takeOut = plant();
    try {
      let found = 0;
      for (let seed = 1; seed <= 50 && found === 0; seed++) {
        if (simulate(seed, planOfSeed(seed, STEPS)).length > 0) found = seed;
      }
      expect(found).toBeGreaterThan(0);
    } finally {
      takeOut();
    }
  });
});

test('the shortest history that still fails is found', () => {
  const steps = planOfSeed(1, 200);
  const [first, second] = [steps[20]!, steps[150]!];
  const fails = (some: readonly unknown[]): boolean =>
    some.includes(first) && some.includes(second);
  expect(shrink(steps, fails, 10_000)).toEqual([first, second]);
});
