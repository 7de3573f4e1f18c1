import { setTimeout as pass } from 'node:timers/promises';

import { expect } from 'vitest';

import type { Client } from '../client.ts';
import { type Scenario, WITHOUT_CONTROL } from '../scenario.ts';
import { COMPANY, type ProtocolName } from '../variants.ts';

const CALLS = 10_000;
/** Between an answer and the next call of those who are served beside it. */
const PAUSE_MS = 20;
/**
 * The longest that a call may take beside the flood, with client and flood in one process here; or
 * twice as long as the flood, on a machine that is too busy for that: a call that came last of all
 * in line takes as long as the flood, and its answer waits for the work on the flood's answers.
 */
const PATIENCE_MS = 5_000;

function flood(protocol: ProtocolName, rest: Pick<Scenario, 'withoutControl'> = {}): Scenario {
  return {
    name: `serves others while one floods it with ${CALLS} calls in ${protocol}`,
    several: true,
    ...rest,
    async run(context) {
      const kind = COMPANY.find((candidate) => candidate.protocol === protocol)!;
      const flooder = await context.connect({ kind });
      const others = await context.connectAll();
      const numbers = Array.from({ length: CALLS }, (_, n) => n);
      const since = performance.now();
      const answers = Promise.all(numbers.map((n) => flooder.invoke('echo', n)));
      const took = answers.then(() => performance.now() - since);
      const waits = await Promise.all(others.map((client) => waitsDuring(answers, client)));
      expect(await answers).toEqual(numbers);
      const most = Math.max(PATIENCE_MS, 2 * (await took));
      for (const longest of waits) expect(longest).toBeLessThan(most);
      for (const { events } of [flooder, ...others]) expect(events.all).toEqual([]);
    },
  };
}

/** Calls again and again while `work` goes on, at least once; the longest wait in milliseconds. */
async function waitsDuring(work: Promise<unknown>, client: Client): Promise<number> {
  let longest = 0;
  const over = work.then(() => 'over');
  do {
    const since = performance.now();
    expect(await client.invoke('echo', 'past it')).toBe('past it');
    longest = Math.max(longest, performance.now() - since);
  } while ((await Promise.race([over, pass(PAUSE_MS, 'not yet')])) !== 'over');
  return longest;
}

export const load: readonly Scenario[] = [
  flood('json'),
  flood('messagepack', { withoutControl: WITHOUT_CONTROL.messagepack }),
];
