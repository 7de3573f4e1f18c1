import { expect } from 'vitest';

import { NEEDS, type Scenario } from '../scenario.ts';

const MIB = 1024 * 1024;

/** Closed with an error, told that it may come back, and nobody else notices. */
function tooLarge(name: string, length: number): Scenario {
  return {
    name,
    several: true,
    async run(context) {
      const bystander = await context.connect();
      const offender = await context.connect();
      offender.connection.send('echo', 'x'.repeat(length)).catch(() => {});
      expect(await offender.event('closed')).toEqual({
        type: 'closed',
        error: 'Server returned an error on close: Connection closed with an error.',
      });
      expect(await bystander.invoke('echo', 'still here')).toBe('still here');
      expect(bystander.events.all).toEqual([]);
    },
  };
}

export const limits: readonly Scenario[] = [
  tooLarge('closes a client whose message is over maximumReceiveMessageSize', MIB + 1),
  tooLarge("closes a client whose message is over the edge's own limit", 5 * MIB),
  {
    name: 'lets a client come back that was closed for a message too large',
    needs: [NEEDS.reconnect],
    async run(context) {
      const client = await context.connect({ reconnects: true });
      client.connection.send('echo', 'x'.repeat(MIB + 1)).catch(() => {});
      await client.event('reconnected');
      expect(await client.invoke('echo', 'here again')).toBe('here again');
    },
  },
];
