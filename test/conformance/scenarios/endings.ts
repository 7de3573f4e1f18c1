import { expect } from 'vitest';

import { NEEDS, type Scenario, WITHOUT_CONTROL } from '../scenario.ts';

/** Connections that neither client nor hub ends. */
export const endings: readonly Scenario[] = [
  {
    name: 'closes clients whose app server stops, without an error',
    withoutControl: WITHOUT_CONTROL.stopping,
    async run(context) {
      const apps = await context.startApps();
      const client = await context.connect({ apps });
      await client.id();
      // Behind one address any of them may serve the client.
      await Promise.all(apps.map((app) => app.stop()));
      expect(await client.event('closed')).toEqual({ type: 'closed', error: undefined });
    },
  },
  {
    name: 'lets a client come back whose connection was cut',
    several: true,
    needs: [NEEDS.reconnect],
    async run(context) {
      const { network, via } = await context.network();
      const tag = context.unique('tag');
      const witness = await context.connect();
      const client = await context.connect({ via, query: { tag }, reconnects: true });
      const before = await client.id();
      for (const link of network.links) link.reset();
      await client.event('reconnected');
      expect(await client.id()).not.toBe(before);
      await client.connection.stop();
      const life = ['connecting', 'connected', 'disconnected'];
      await context.eventually(async () => {
        const journal = await witness.invoke<string[]>('journal', tag);
        expect(journal.toSorted()).toEqual([...life, ...life].toSorted());
      });
    },
  },
];
