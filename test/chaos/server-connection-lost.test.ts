import { describe, expect, it } from 'vitest';

import { behindNetwork, expectFewMoved } from './behind-network.ts';
import { expectCloses, expectDisconnected, expectNothingLeft } from './expectations.ts';
import type { Link } from './network.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { TEST_MS, World } from './world.ts';

const AT_ONCE_MS = 1_000;
const MOVED_MS = 5_000;

describe.concurrent('one of five server connections', { timeout: TEST_MS }, () => {
  it.each([
    ['is reset', (link: Link) => link.reset()],
    ['ends without a close frame', (link: Link) => link.end()],
  ])(
    '%s: the SDK dials again at once, and has its clients back, who do not notice',
    async (_n, cut) => {
      await using world = await World.start({ apps: [] });
      const all = await behindNetwork(world);

      const start = performance.now();
      cut(all.network.links[0]!);
      await world.eventually(() => expect(all.network.links).toHaveLength(CONNECTIONS + 1));
      await world.serverConnections(CONNECTIONS);
      expect(performance.now() - start).toBeLessThan(AT_ONCE_MS);
      const lost = await expectFewMoved(world, all);
      expect(performance.now() - start).toBeLessThan(MOVED_MS);
      await expectDisconnected(world, lost);
      await expectCloses(world, { clients: {}, servers: { ConnectionLost: 1 } });
      await expectNothingLeft(world, CONNECTIONS);
    },
  );
});
