import { setTimeout as pass } from 'node:timers/promises';

import { expect } from 'vitest';

import type { Scenario } from '../scenario.ts';

/** Past the 30 s that both sides give each other, with a ping more. */
const QUIET_MS = 36_000;

export const silence: readonly Scenario[] = [
  {
    name: 'keeps clients connected that have nothing to say for 36 s',
    several: true,
    async run(context) {
      const clients = await context.connectAll();
      const raw = await context.connectRaw();
      // Nothing marks the end of a silence but the time.
      await pass(QUIET_MS);
      for (const client of clients) {
        expect(client.events.all).toEqual([]);
        expect(await client.invoke('echo', 'still here')).toBe('still here');
      }
      // This one never pings, and hears the hub ping: every 15 s, or sooner.
      expect(raw.received.all.filter(({ type }) => type === 6).length).toBeGreaterThanOrEqual(2);
      expect(await raw.call('echo', 'still here')).toBe('still here');
    },
  },
];
