import { setTimeout as pass } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { behindNetwork, CLIENTS_EACH, expectFewBack } from './behind-network.ts';
import { bystand } from './bystander.ts';
import { closes } from './census.ts';
import { expectCloses, expectDisconnected, expectNothingLeft } from './expectations.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { CLIENTS_EACH as CLIENTS, expectMovedTo, twoApps } from './two-apps.ts';
import { TEST_MS, World } from './world.ts';

/** The edge gives a silent server connection 12 s, and looks every second. */
const FOUND_MS = 14_000;
/** And its clients 10 s for another app server. */
const TOLD_MS = FOUND_MS + 11_000;
/** The SDK gives the service 30 s, and looks every 5 s. */
const SDK_FOUND_MS = 36_000;
/** Past the edge's 12 s, and short of the 30 s of clients and app servers. */
const FREEZE_MS = 15_000;
const DELAY_MS = 400;

/** Here, for these wait the longest: beside each other. */
describe.concurrent('silence', { timeout: TEST_MS }, () => {
  it('of a frozen app server: its clients go to another, and it serves again when it wakes', async () => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, idsOfA, bystander } = await twoApps(world);
    const [frozen] = world.apps;

    const start = performance.now();
    await frozen!.freeze();
    const unanswered = ofA.map((client) =>
      client.connection.invoke('echo', 'anybody?').catch((error: Error) => error.message),
    );
    for (const answer of unanswered) expect(await answer).toContain('The app server was lost');
    await expectMovedTo(world, ofA, 'B');
    expect(performance.now() - start).toBeLessThan(FOUND_MS);
    await expectCloses(world, { clients: {}, servers: { PingTimeout: CONNECTIONS } });
    await bystander.expectUndisturbed();

    frozen!.thaw();
    await expectDisconnected(world, idsOfA);
    await world.serverConnections(2 * CONNECTIONS);
    // It has no clients, and so gets the next.
    expect([...(await world.servedBy(await world.connectAll(1))).keys()]).toEqual(['A']);
    await expectNothingLeft(world, 2 * CONNECTIONS);
  });

  it('of one server connection: its clients are told to come back, and the SDK replaces it', async () => {
    await using world = await World.start({ apps: [] });
    const all = await behindNetwork(world);

    const start = performance.now();
    all.network.links[0]!.stall();
    // There is no other process, and this one does not know yet: it could not serve them.
    const lost = await expectFewBack(world, all);
    expect(performance.now() - start).toBeLessThan(TOLD_MS);
    await expectCloses(world, {
      clients: { ServerConnectionClosed: CLIENTS_EACH },
      servers: { PingTimeout: 1 },
    });
    await world.serverConnections(CONNECTIONS - 1);

    // No word of that reaches the app server: it goes by the 30 s of its own.
    const [app] = world.apps;
    await world.eventually(() =>
      expect(lost.map((id) => app!.disconnects(id).length)).toEqual(lost.map(() => 1)),
    );
    await world.serverConnections(CONNECTIONS);
    expect(performance.now() - start).toBeLessThan(SDK_FOUND_MS);
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('of a frozen edge: it blames nobody for that when it wakes', async () => {
    await using world = await World.start();
    const clients = await world.connectAll(CLIENTS);
    const observer = await world.observe();

    await world.edge.freeze();
    let answered = 0;
    const answers = clients.map(async (client, n) => {
      expect(await client.connection.invoke('echo', n)).toBe(n);
      answered += 1;
    });
    // Nothing marks the end of a silence but the time.
    await pass(FREEZE_MS);
    expect(answered).toBe(0);
    world.edge.thaw();
    await Promise.all(answers);

    await pass(FREEZE_MS);
    for (const client of clients) {
      expect(client.events.all).toEqual([]);
      expect(await client.invoke('echo', 'still')).toBe('still');
    }
    expect(await observer.call('echo', 'still')).toBe('still');
    expect(await closes(world.edge)).toEqual({ clients: {}, servers: {} });
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('that is only a slow network: every call is answered, in order', async () => {
    await using world = await World.start({ apps: [] });
    const { clients } = await behindNetwork(world, DELAY_MS);
    const bystander = bystand(clients[0]!);

    const start = performance.now();
    const answers: number[] = [];
    const calls = Array.from({ length: 100 }, async (_, n) => {
      answers.push(await clients[1]!.invoke<number>('echo', n));
    });
    await Promise.all(calls);
    expect(performance.now() - start).toBeGreaterThan(2 * DELAY_MS);
    expect(answers).toEqual(calls.map((_, n) => n));
    await bystander.expectUndisturbed();
    expect(await closes(world.edge)).toEqual({ clients: {}, servers: {} });
    await expectNothingLeft(world, CONNECTIONS);
  });
});
