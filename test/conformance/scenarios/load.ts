import { expect } from 'vitest';

import type { Scenario } from '../context.ts';
import { VARIANTS } from '../variants.ts';

const CALLS = 10_000;

/** One client's flood of calls, all at once, and another's calls meanwhile. */
export const load: readonly Scenario[] = VARIANTS.filter(({ negotiates }) => negotiates).map(
  (variant) => ({
    name: `serves others while one floods it with ${CALLS} calls in ${variant.protocol}`,
    timeout: 40_000,
    async run(context) {
      const flooder = await context.connect({ variant });
      const others = await context.connectAll();
      const numbers = Array.from({ length: CALLS }, (_, n) => n);
      let flooding = true;
      const flood = Promise.all(numbers.map((n) => flooder.invoke('echo', n))).finally(() => {
        flooding = false;
      });
      let served = 0;
      while (flooding) {
        for (const client of others) expect(await client.invoke('echo', 'past it')).toBe('past it');
        served++;
      }
      expect(await flood).toEqual(numbers);
      expect(served).toBeGreaterThan(0);
      for (const client of [flooder, ...others]) expect(client.events.all).toEqual([]);
    },
  }),
);
