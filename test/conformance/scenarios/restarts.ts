import { TcpProxy } from '@trunkline/testing';
import { expect } from 'vitest';

import type { Client } from '../client.ts';
import type { Context } from '../context.ts';
import { type Scenario, WITHOUT_CONTROL, WITHOUT_PACKAGE } from '../scenario.ts';
import type { AppServer } from '../start-app-server.ts';

/** App servers with clients of their own, one at each edge. */
interface Apps {
  /** Each behind a proxy at which its successor can be reached, too. */
  readonly apps: readonly AppServer[];
  /** Starts a successor of each. */
  succeed(): Promise<void>;
}

async function replaceable(context: Context): Promise<Apps> {
  const servers = await context.startApps();
  const proxies: TcpProxy[] = [];
  for (const { url } of servers) proxies.push(context.own(await TcpProxy.start(url)));
  return {
    apps: servers.map((server, at) => ({ ...server, url: proxies[at]!.url })),
    async succeed() {
      const successors = await context.startApps(() => ({ prefix: servers[0]!.prefix }));
      for (const [at, { url }] of successors.entries()) proxies[at]!.target = url;
    },
  };
}

/** Clients of every kind in company that lose their app server, and how they come back to its successor. */
async function replace(
  context: Context,
  end: (app: AppServer) => Promise<unknown>,
): Promise<Client[]> {
  const { apps, succeed } = await replaceable(context);
  const clients = await context.connectAll({ apps, reconnects: true });
  const before = await Promise.all(clients.map((client) => client.id()));
  await Promise.all(apps.map(end));
  for (const client of clients) await client.event('reconnecting');
  await succeed();
  for (const client of clients) await client.event('reconnected');
  const after = await Promise.all(clients.map((client) => client.id()));
  expect(new Set([...before, ...after]).size).toBe(2 * clients.length);
  return clients;
}

export const restarts: readonly Scenario[] = [
  {
    name: 'reconnects after the app server was killed and started again',
    several: true,
    async run(context) {
      await replace(context, async (app) => {
        app.child.kill('SIGKILL');
        await app.exited;
      });
    },
  },
  {
    name: 'reconnects after the app server has stopped, without an error',
    several: true,
    withoutControl: WITHOUT_CONTROL.stopping,
    async run(context) {
      const clients = await replace(context, (app) => app.stop());
      for (const client of clients) {
        expect(await client.event('reconnecting')).toMatchObject({ error: undefined });
      }
    },
  },
  {
    name: 'goes on at another app server when one stops',
    several: true,
    withoutControl: WITHOUT_CONTROL.edge,
    async run(context) {
      const { apps, succeed } = await replaceable(context);
      const clients = await context.connectAll({ apps, reconnects: true });
      await succeed();
      await Promise.all(apps.map((app) => app.stop()));
      for (const client of clients) {
        await context.eventually(async () => {
          expect(await client.invoke('echo', 'still served')).toBe('still served');
          // A call can be answered with the handshake, before its client says that it is connected.
          expect(client.state).toBe('Connected');
        });
      }
    },
  },
  {
    name: 'answers negotiate with 503 until the edge is there',
    several: true,
    withoutPackage: WITHOUT_PACKAGE.negotiate,
    withoutControl: WITHOUT_CONTROL.edge,
    async run(context) {
      const proxies = new Map<AppServer, TcpProxy>();
      for (const at of context.apps) proxies.set(at, context.own(await TcpProxy.start()));
      const apps = await context.startApps((at) => ({
        edgeUrl: proxies.get(at)!.url,
        ready: 'listening',
      }));
      for (const app of apps) await turnsAway(app);
      for (const [at, proxy] of proxies) proxy.target = at.edgeUrl;
      for (const app of apps) {
        await context.eventually(async () => expect((await negotiate(app)).status).toBe(200));
      }
      for (const client of await context.connectAll({ apps })) {
        expect(await client.invoke('echo', 'here we are')).toBe('here we are');
      }
    },
  },
];

/** An app server whose edge is not there. */
async function turnsAway(app: AppServer): Promise<void> {
  const early = await negotiate(app);
  expect(early.status).toBe(503);
  expect(early.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  await expect(app.control({ do: 'send', hub: 'main', to: ['all'], args: [] })).rejects.toThrow(
    'no server connection',
  );
}

function negotiate(app: AppServer): Promise<Response> {
  return fetch(`${app.url}/main/negotiate?negotiateVersion=1`, { method: 'POST' });
}
