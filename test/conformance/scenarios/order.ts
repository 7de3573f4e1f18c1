import { expect } from 'vitest';

import { NEEDS, type Scenario } from '../scenario.ts';

const COUNT = 10_000;
const NUMBERS = Array.from({ length: COUNT }, (_, n) => n);

/** Nothing lost, nothing twice, nothing out of turn. */
export const order: readonly Scenario[] = [
  {
    name: `takes ${COUNT} sends of a client in order`,
    needs: [NEEDS.postsInTurn],
    async run(context) {
      const client = await context.connect();
      await Promise.all(NUMBERS.map((n) => client.connection.send('keep', n)));
      expect(await client.invoke('kept')).toEqual(NUMBERS);
    },
  },
  {
    name: `brings ${COUNT} sends to a client in order`,
    async run(context) {
      const client = await context.connect();
      await client.invoke('count', COUNT);
      expect(await client.numbers(COUNT)).toEqual(NUMBERS);
    },
  },
];
