import { describe, expect, it } from 'vitest';

import { metric } from '../edge/support/metrics.ts';
import { census } from './census.ts';
import { expectCloses, expectDisconnected, expectNothingLeft } from './expectations.ts';
import { type AppServer, CONNECTIONS } from './start-app-server.ts';
import {
  CLIENTS_EACH,
  expectMovedTo,
  expectToldAndServedBy,
  expectUnaware,
  twoApps,
} from './two-apps.ts';
import { TEST_MS, World } from './world.ts';

/**
 * For the move of a client whose app server stops or has died: tenths of a second on a machine that is
 * not busy, and less than half of what it takes to miss an app server that only falls silent.
 */
const MOVED_MS = 5_000;
/** Of calls under way when an app server stops, which gives them 2 s. */
const SHORT_MS = 1_000;
const LONG_MS = 5_000;
/** Short, where nobody is to come in time. */
const HASTY = ['--server-wait', '1'];

describe.concurrent('an app server', { timeout: TEST_MS }, () => {
  const leaves: [string, (app: AppServer) => Promise<unknown>][] = [
    ['stops with server.stop()', (app) => app.stopServing()],
    ['gets a SIGTERM and stops', (app) => app.stop()],
  ];
  it.each(leaves)('%s: its clients are moved to another, after their calls', async (_n, leave) => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, idsOfA, bystander } = await twoApps(world);

    const [short, long, ...idle] = ofA;
    const calls = Promise.allSettled([
      short!.invoke('echoLater', 'answered', SHORT_MS),
      long!.invoke('echoLater', 'too late', LONG_MS),
    ]);
    await world.eventually(() =>
      expect(world.apps[0]!.output().match(/^called /gm)).toHaveLength(2),
    );
    const left = leave(world.apps[0]!);
    const start = performance.now();
    await expectMovedTo(world, idle, 'B');
    expect(performance.now() - start).toBeLessThan(MOVED_MS);
    expect(await calls).toMatchObject([
      { status: 'fulfilled', value: 'answered' },
      { status: 'rejected', reason: { message: expect.stringContaining('was lost') } },
    ]);
    await expectMovedTo(world, ofA, 'B');
    await left;
    await expectDisconnected(world, idsOfA);
    await expectCloses(world, { clients: {}, servers: { Normal: CONNECTIONS } });
    await bystander.expectUndisturbed();
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('is killed: its clients are moved to another', async () => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, idsOfA, bystander } = await twoApps(world);

    const start = performance.now();
    await world.apps[0]!.kill();
    await expectMovedTo(world, ofA, 'B');
    expect(performance.now() - start).toBeLessThan(MOVED_MS);
    expect(await Promise.all(ofA.map((client) => client.id()))).toEqual(idsOfA);
    await expectCloses(world, { clients: {}, servers: { ConnectionLost: CONNECTIONS } });
    await bystander.expectUndisturbed();
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('is killed before it has answered a handshake: another one does', async () => {
    await using world = await World.start();
    const [app] = world.apps;
    await app!.freeze();
    const client = world.client();
    const started = Promise.allSettled([client.connection.start()]);
    await world.eventually(async () => expect((await census(world.edge)).clients).toBe(1));
    await world.startApp({ name: 'B' });
    await app!.kill();
    expect(await started).toEqual([{ status: 'fulfilled', value: undefined }]);
    expect(await client.invoke('server')).toBe('B');
    await expectCloses(world, { clients: {}, servers: { ConnectionLost: CONNECTIONS } });
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('is killed, was the only one, and starts again: what clients say meanwhile waits', async () => {
    await using world = await World.start();
    const clients = await world.connectAll(CLIENTS_EACH);

    await world.apps[0]!.kill();
    const answers = clients.map((client, n) => client.invoke('echo', n));
    await world.startApp({ name: 'again' });
    expect(await Promise.all(answers)).toEqual(clients.map((_, n) => n));
    await expectMovedTo(world, clients, 'again');
    await expectCloses(world, { clients: {}, servers: { ConnectionLost: CONNECTIONS } });
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('is killed, and none comes in time: its clients are told to come back', async () => {
    await using world = await World.start({ args: HASTY });
    const clients = await world.connectAll(CLIENTS_EACH);
    const observer = await world.observe();

    // Who came back before the next app server has started would be turned away after the wait.
    const release = world.holdClients();
    await world.apps[0]!.kill();
    expectUnaware(clients);
    expect((await observer.closed).code).toBe(1001);
    expect(observer.received.all).toEqual([{ type: 7, allowReconnect: true }]);
    await Promise.all(clients.map((client) => client.event('reconnecting')));
    await world.startApp({ name: 'again' });
    release();
    await expectToldAndServedBy(world, clients, 'again');
    await expectCloses(world, {
      clients: { ServerConnectionClosed: CLIENTS_EACH + 1 },
      servers: { ConnectionLost: CONNECTIONS },
    });
    await expectNothingLeft(world, CONNECTIONS);
  });

  it.each([
    ['off', []],
    ['shutdown', []],
    ['always', ['--migration', 'never']],
  ] as const)(
    'is killed, with migration %s: its clients come back at another',
    async (migration, args) => {
      await using world = await World.start({ apps: ['A', 'B'], migration, args });
      const { ofA, bystander } = await twoApps(world);

      await world.apps[0]!.kill();
      await expectToldAndServedBy(world, ofA, 'B');
      await expectCloses(world, {
        clients: { ServerConnectionClosed: CLIENTS_EACH },
        servers: { ConnectionLost: CONNECTIONS },
      });
      await bystander.expectUndisturbed();
      const notAllowed = { outcome: 'not_allowed' };
      expect(await metric(world.edge, 'trunkline_migrations_total', notAllowed)).toBe(CLIENTS_EACH);
      await expectNothingLeft(world, CONNECTIONS);
    },
  );
});
