import { PROFILE_NAMES, TcpProxy } from '@trunkline/testing';
import { setTimeout as pass } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { census } from '../../chaos/census.ts';
import { TEST_MS, World } from './world.ts';

const HUBS = 5;
const CONNECTIONS = 5;
/** The package gives a silent service up after 30 to 35 s. */
const QUIET_MS = 36_000;

/** Service protocol reference, sections 7 and 20.7, from the edge's side. */
describe.concurrent.each(PROFILE_NAMES)(
  'server connections of an app on %s',
  { timeout: TEST_MS },
  (profile) => {
    it('are all there soon after the edge is', async () => {
      await using world = await World.start();
      await using proxy = await TcpProxy.start();
      const { url: edgeUrl } = proxy;
      const options = { edgeUrl, connections: CONNECTIONS, ready: 'listening' } as const;
      const app = await world.startApp(profile, options);
      const negotiate = (): Promise<Response> =>
        fetch(`${app.url}/main/negotiate?negotiateVersion=1`, { method: 'POST' });
      expect((await negotiate()).status).toBe(500);
      proxy.target = world.edge.url;
      await world.eventually(async () => {
        expect((await census(world.edge)).servers).toBe(HUBS * CONNECTIONS);
      });
      expect((await negotiate()).status).toBe(200);
      const client = await world.connect(app);
      expect(await client.invoke('echo', 'served')).toBe('served');
    });

    it('are kept while nobody says anything for 36 s', async () => {
      await using world = await World.start();
      const app = await world.startApp(profile);
      const client = await world.connect(app);
      // Nothing marks the end of a silence but the time.
      await pass(QUIET_MS);
      expect((await census(world.edge)).servers).toBe(HUBS * 2);
      expect(await client.invoke('echo', 'still here')).toBe('still here');
      expect(client.events.all).toEqual([]);
      expect(world.complaints()).toEqual([]);
    });
  },
);
