import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { deadline, type DotnetStandIn, PROFILE_NAMES, type ShutdownMode } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Client } from '../../conformance/client.ts';
import { TEST_MS, World } from './world.ts';

const CLIENTS = 10;
/** Half of what a client waits for an app server that it can do without; busy machines need a part. */
const SOON_MS = 5_000;
const OPTIONS = { sticky: 'Required', connections: 5 } as const;

/** Clients whose state is in the process of their app server, as that of Blazor's pages is. */
describe.concurrent.each(PROFILE_NAMES)(
  'clients that require their app server, on %s',
  { timeout: TEST_MS },
  (profile) => {
    let world: World;

    beforeAll(async () => {
      world = await World.start();
    });

    afterAll(async () => world[Symbol.asyncDispose]());

    /** An app server that goes, beside one that stays. */
    async function scene(shutdown: ShutdownMode = 'Off'): Promise<[DotnetStandIn, Client[]]> {
      const app = await world.startApp(profile, { ...OPTIONS, shutdown });
      await world.startApp(profile, { ...OPTIONS, prefix: app.prefix });
      const connect = (): Promise<Client> => world.connect(app);
      return [app, await Promise.all(Array.from({ length: CLIENTS }, connect))];
    }

    /** All are told to reconnect, each after so many milliseconds. */
    async function told(clients: readonly Client[], since: number): Promise<number[]> {
      return Promise.all(
        clients.map(async (client) => {
          const event = deadline(client.event('reconnecting'), TEST_MS, 'it was not told');
          expect(await event).toEqual({ type: 'reconnecting', error: undefined });
          return performance.now() - since;
        }),
      );
    }

    /** Signed in for the hub by the app server, and not connected yet. */
    async function newcomer(app: DotnetStandIn): Promise<() => Promise<string>> {
      const answer = await fetch(`${app.url}/main/negotiate?negotiateVersion=1`, {
        method: 'POST',
        headers: { authorization: `Bearer ${Buffer.from('{}').toString('base64url')}` },
      });
      const { url, accessToken } = (await answer.json()) as { url: string; accessToken: string };
      const connection = new HubConnectionBuilder()
        .withUrl(url, { accessTokenFactory: () => accessToken })
        .configureLogging(LogLevel.None)
        .build();
      return () =>
        connection.start().then(
          () => 'started',
          (error: Error) => error.message,
        );
    }

    it('are told soon when it is killed; who comes then or meanwhile, too', async () => {
      const [app, clients] = await scene();
      const [meanwhile, late] = [await newcomer(app), await newcomer(app)];
      const since = performance.now();
      const killed = app.kill();
      const refused = meanwhile();
      expect(Math.max(...(await told(clients, since)))).toBeLessThan(SOON_MS);
      await killed;
      const [first, second] = await Promise.all([refused, late()]);
      expect(second).toContain('The app server of this client has gone. Connect again.');
      // It may have been open for a moment, if it was as fast as the signal.
      expect(first).toBe(first === 'started' ? 'started' : second);
      expect(performance.now() - since).toBeLessThan(SOON_MS);
    });

    it.each<ShutdownMode>(['Off', 'MigrateClients'])(
      'are told soon when it is stopped in mode %s, which is over then',
      async (shutdown) => {
        const [app, clients] = await scene(shutdown);
        const since = performance.now();
        const stopped = app.stop();
        expect(Math.max(...(await told(clients, since)))).toBeLessThan(SOON_MS);
        expect(await stopped).toEqual({ code: 0, signal: null });
        expect(performance.now() - since).toBeLessThan(SOON_MS);
      },
    );

    it('work on when it waits for them to close', async () => {
      const [app, clients] = await scene('WaitForClientsClose');
      const stopped = app.stop();
      await world.eventually(async () => expect(await (await newcomer(app))()).toContain('gone'));
      expect(await Promise.all(clients.map((client) => client.invoke('pid')))).toEqual(
        clients.map(() => app.pid),
      );
      expect(clients.flatMap(({ events }) => events.all)).toEqual([]);
      await Promise.all(clients.map(({ connection }) => connection.stop()));
      expect(await stopped).toEqual({ code: 0, signal: null });
    });
  },
);
