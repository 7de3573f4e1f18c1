import { describe, expect, it } from 'vitest';

import type { Client } from '../conformance/client.ts';
import type { HubClient } from '../edge/support/hub-client.ts';
import { closes } from './census.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { World } from './world.ts';

const CLIENTS = 10;
const FREEZE_MS = 15_000;

interface Peers {
  readonly clients: readonly Client[];
  readonly ids: readonly string[];
  readonly observer: HubClient;
}

async function peers(world: World): Promise<Peers> {
  const clients = await world.connectAll(CLIENTS);
  const ids = await Promise.all(clients.map((client) => client.id()));
  return { clients, ids, observer: await world.observe() };
}

/** App server and clients find a new edge by themselves; nothing of the old one is left over. */
async function expectFound(world: World, { clients, ids, observer }: Peers): Promise<void> {
  await world.serverConnections(CONNECTIONS);
  await Promise.all(clients.map((client) => client.event('reconnected')));
  const now = await Promise.all(clients.map((client) => client.id()));
  expect(new Set([...ids, ...now]).size).toBe(2 * CLIENTS);
  await world.disconnectedOnce([...ids, observer.connectionId]);
  await world.expectCloses({ clients: {}, servers: {} });
  await world.expectNothingLeft(CONNECTIONS);
}

describe.concurrent('an edge', () => {
  it('gets a SIGTERM: all are told to come back, and find the one after it', async () => {
    await using world = await World.start();
    const all = await peers(world);

    expect(await world.edge.stop()).toEqual({ code: 0, signal: null });
    expect((await all.observer.closed).code).toBe(1001);
    expect(all.observer.received.all).toEqual([{ type: 7, allowReconnect: true }]);
    await Promise.all(all.clients.map((client) => client.event('reconnecting')));
    for (const client of all.clients) expect(client.events.all[0]!.error).toBeUndefined();
    expect(world.edge.output().match(/"reason":"ServiceReload"/g)).toHaveLength(CONNECTIONS);
    await world.startEdgeAgain();
    await expectFound(world, all);
  }, 60_000);

  it('is killed: nobody is told, and all find the one after it', async () => {
    await using world = await World.start();
    const all = await peers(world);

    world.edge.child.kill('SIGKILL');
    expect((await all.observer.closed).code).toBe(1006);
    expect(all.observer.received.all).toEqual([]);
    await Promise.all(all.clients.map((client) => client.event('reconnecting')));
    for (const { events } of all.clients) expect(events.all[0]!.error).toContain('1006');
    await world.edge.exited;
    await world.startEdgeAgain();
    await expectFound(world, all);
  }, 60_000);

  it('freezes for 15 s: it blames nobody for that when it wakes', async () => {
    await using world = await World.start();
    const { clients, observer } = await peers(world);

    world.edge.child.kill('SIGSTOP');
    const start = performance.now();
    const answers = clients.map((client, n) => client.connection.invoke('echo', n));
    await world.eventually(() => expect(performance.now() - start).toBeGreaterThan(FREEZE_MS));
    world.edge.child.kill('SIGCONT');
    expect(await Promise.all(answers)).toEqual(clients.map((_, n) => n));
    expect(await observer.call('echo', 'awake')).toBe('awake');
    expect(await closes(world.edge)).toEqual({ clients: {}, servers: {} });

    // Nor later: past the 12 s that a silent server connection has.
    const woken = performance.now();
    await world.eventually(() => expect(performance.now() - woken).toBeGreaterThan(FREEZE_MS));
    for (const client of clients) {
      expect(client.events.all).toEqual([]);
      expect(await client.invoke('echo', 'still')).toBe('still');
    }
    expect(await closes(world.edge)).toEqual({ clients: {}, servers: {} });
    await world.expectNothingLeft(CONNECTIONS);
  }, 90_000);

  it('freezes, and an app server freezes as it wakes: that one is lost within 14 s', async () => {
    await using world = await World.start();
    const { clients } = await peers(world);
    const [app] = world.apps;

    world.edge.child.kill('SIGSTOP');
    const start = performance.now();
    await world.eventually(() => expect(performance.now() - start).toBeGreaterThan(FREEZE_MS));
    world.edge.child.kill('SIGCONT');
    expect(await clients[0]!.invoke('echo', 'awake')).toBe('awake');
    const frozen = performance.now();
    app!.child.kill('SIGSTOP');
    await Promise.all(
      clients.map(({ events }) =>
        events.first(({ type }) => type === 'reconnecting', 'the end', 30_000),
      ),
    );
    expect(performance.now() - frozen).toBeLessThan(14_000);
    app!.child.kill('SIGCONT');
    await Promise.all(clients.map((client) => client.event('reconnected')));
    await world.expectNothingLeft(CONNECTIONS);
  }, 90_000);
});
