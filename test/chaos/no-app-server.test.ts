import { describe, expect, it } from 'vitest';

import { failureOf } from '../conformance/client.ts';
import { HubClient, JSON_HANDSHAKE } from '../edge/support/hub-client.ts';
import { census } from './census.ts';
import { expectCloses, expectNothingLeft } from './expectations.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { TEST_MS, World } from './world.ts';

const CLIENTS = 5;
const NOBODY = 'No app server is connected for this hub. Try again later.';

describe.concurrent('without an app server', { timeout: TEST_MS }, () => {
  it('clients are told so after the waiting time', async () => {
    await using world = await World.start({ apps: [], args: ['--server-wait', '1'] });
    await using observer = await HubClient.open(world.edge.url, { hub: world.hub });

    const start = performance.now();
    observer.write(JSON_HANDSHAKE);
    const clients = Array.from({ length: CLIENTS }, () => world.client());
    const failures = clients.map((client) => failureOf(client.connection.start()));
    for (const failure of failures) expect(await failure).toContain(NOBODY);
    const waited = performance.now() - start;
    expect(waited).toBeGreaterThan(1_000);
    expect(waited).toBeLessThan(4_000);
    expect(await observer.handshake()).toEqual({ error: NOBODY });
    await expectCloses(world, {
      clients: { NoAvailableServerConnection: CLIENTS + 1 },
      servers: {},
    });
    await expectNothingLeft(world, 0);
  });

  it('clients are served by one that comes within the waiting time', async () => {
    await using world = await World.start({ apps: [] });
    const clients = Array.from({ length: CLIENTS }, () => world.client());
    const started = clients.map((client) => client.connection.start());
    await world.eventually(async () => expect((await census(world.edge)).waiting).toBe(CLIENTS));
    await world.startApp({ name: 'late' });
    await Promise.all(started);
    expect([...(await world.servedBy(clients)).keys()]).toEqual(['late']);
    await world.serverConnections(CONNECTIONS);
    await expectCloses(world, { clients: {}, servers: {} });
    await expectNothingLeft(world, CONNECTIONS);
  });
});
