import { expect } from 'vitest';

import { IMPATIENT_MS } from '../contract.ts';
import type { Scenario } from '../scenario.ts';

const PING = '{"type":6}\u001e';

/** Clients that go without a word. */
export const abandonment: readonly Scenario[] = [
  {
    name: 'drops a client that stops pinging, but not one that never pinged',
    several: true,
    async run(context) {
      const silent = await context.connectRaw('impatient');
      const pinging = await context.connectRaw('impatient');
      const since = Date.now();
      pinging.write(PING);
      const close = await pinging.received.first(
        ({ type }) => type === 7,
        'the close message',
        IMPATIENT_MS + 5_000,
      );
      expect(Date.now() - since).toBeGreaterThanOrEqual(IMPATIENT_MS);
      expect(close).toEqual({
        type: 7,
        error: 'Connection closed with an error.',
        allowReconnect: true,
      });
      expect((await pinging.closed).code).toBe(1000);
      expect(await silent.call('echo', 'still here')).toBe('still here');
    },
  },
  {
    name: 'answers calls alone, each with exactly one message',
    async run(context) {
      const client = await context.connectRaw();
      client.send('nothing');
      client.send('fail');
      client.send('missing');
      client.send('add', 1);
      expect(await client.call('nothing')).toBeNull();
      const [welcome, ...rest] = client.received.all.filter(({ type }) => type !== 6);
      expect(welcome).toMatchObject({ type: 1, target: 'welcome' });
      expect(rest).toEqual([{ type: 3, invocationId: '0', result: null }]);
    },
  },
];
