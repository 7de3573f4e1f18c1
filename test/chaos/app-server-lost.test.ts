import { describe, expect, it } from 'vitest';

import type { Client } from '../conformance/client.ts';
import { Bystander } from './bystander.ts';
import { type AppServer, CONNECTIONS } from './start-app-server.ts';
import { PATIENCE_MS, World } from './world.ts';

/** The edge gives a silent app server 12 s, and looks every second. */
const FROZEN_MS = 14_000;
const CLIENTS = 10;

/** Clients of app servers A and B, as many of each; a bystander and an observer are among them. */
async function twoApps(world: World): Promise<{
  ofA: readonly Client[];
  idsOfA: readonly string[];
  bystander: Bystander;
}> {
  const served = await world.servedBy(await world.connectAll(2 * CLIENTS));
  const [ofA = [], ofB = []] = [served.get('A'), served.get('B')];
  expect([ofA.length, ofB.length]).toEqual([CLIENTS, CLIENTS]);
  const bystander = new Bystander(ofB[0]!);
  return { ofA, idsOfA: await Promise.all(ofA.map((client) => client.id())), bystander };
}

/** All have come back as other connections, and are served by this app server. */
async function expectServedBy(world: World, clients: readonly Client[], name: string) {
  await Promise.all(clients.map((client) => client.event('reconnected')));
  for (const client of clients) {
    expect(client.events.all.map(({ type }) => type)).toEqual(['reconnecting', 'reconnected']);
  }
  const served = await world.servedBy(clients);
  expect([...served.keys()]).toEqual([name]);
}

describe.concurrent('an app server', () => {
  const leaves: [string, (app: AppServer) => Promise<unknown>][] = [
    ['stops with server.stop()', (app) => app.stopServing()],
    ['gets a SIGTERM and stops', (app) => app.stop()],
  ];
  it.each(leaves)('%s: its clients are told to come back, and do, elsewhere', async (_n, leave) => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, idsOfA, bystander } = await twoApps(world);

    await leave(world.apps[0]!);
    await expectServedBy(world, ofA, 'B');
    for (const client of ofA) {
      // The hub's own Close, without an error: nobody is told of a failure.
      expect(client.events.all[0]).toEqual({ type: 'reconnecting', error: undefined });
    }
    await world.disconnectedOnce(idsOfA);
    await world.expectCloses({
      clients: { ClosedByAppServer: CLIENTS },
      servers: { Normal: CONNECTIONS },
    });
    await bystander.expectUndisturbed();
    await world.expectNothingLeft(CONNECTIONS);
  }, 60_000);

  it('is killed: its clients come back at another by themselves', async () => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, bystander } = await twoApps(world);

    const start = performance.now();
    await world.apps[0]!.kill();
    await expectServedBy(world, ofA, 'B');
    expect(performance.now() - start).toBeLessThan(3_000);
    for (const client of ofA) expect(client.events.all[0]!.error).toBeUndefined();
    await world.expectCloses({
      clients: { ServerConnectionClosed: CLIENTS },
      servers: { ConnectionLost: CONNECTIONS },
    });
    await bystander.expectUndisturbed();
    await world.expectNothingLeft(CONNECTIONS);
  }, 60_000);

  it('is killed, was the only one, and starts again: its clients wait for it at the edge', async () => {
    await using world = await World.start();
    const clients = await world.connectAll(CLIENTS);
    const observer = await world.observe();

    await world.apps[0]!.kill();
    expect((await observer.closed).code).toBe(1001);
    expect(observer.received.all).toEqual([{ type: 7, allowReconnect: true }]);
    await world.eventually(async () => {
      expect(clients.map(({ events }) => events.all.length)).toEqual(clients.map(() => 1));
    });
    await world.startApp({ name: 'again' });
    await expectServedBy(world, clients, 'again');
    await world.expectCloses({
      clients: { ServerConnectionClosed: CLIENTS + 1 },
      servers: { ConnectionLost: CONNECTIONS },
    });
    await world.expectNothingLeft(CONNECTIONS);
  }, 60_000);

  it('freezes: its clients are moved to another within 14 s, and it serves again when it wakes', async () => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, idsOfA, bystander } = await twoApps(world);
    const [frozen] = world.apps;

    const start = performance.now();
    frozen!.child.kill('SIGSTOP');
    const unanswered = ofA.map((client) =>
      client.connection.invoke('echo', 'anybody?').catch((error: Error) => error.message),
    );
    await expectServedBy(world, ofA, 'B');
    expect(performance.now() - start).toBeLessThan(FROZEN_MS);
    for (const answer of unanswered) expect(await answer).toContain('Invocation canceled');
    for (const client of ofA) expect(client.events.all[0]!.error).toBeUndefined();
    await world.expectCloses({
      clients: { ServerConnectionClosed: CLIENTS },
      servers: { PingTimeout: CONNECTIONS },
    });
    expect(frozen!.output()).not.toContain('disconnected');
    await bystander.expectUndisturbed();

    frozen!.child.kill('SIGCONT');
    await world.disconnectedOnce(idsOfA);
    await world.serverConnections(2 * CONNECTIONS);
    // It has no clients, and so gets the next.
    const served = await world.servedBy(await world.connectAll(1));
    expect([...served.keys()]).toEqual(['A']);
    await world.expectNothingLeft(2 * CONNECTIONS);
  }, PATIENCE_MS + 20_000);
});
