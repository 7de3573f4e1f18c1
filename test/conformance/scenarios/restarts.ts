import { TcpProxy } from '@trunkline/testing';
import { expect } from 'vitest';

import type { Client } from '../client.ts';
import type { Context } from '../context.ts';
import { type Scenario, WITHOUT_CONTROL, WITHOUT_PACKAGE } from '../scenario.ts';
import type { AppServer } from '../start-app-server.ts';

/** An app server behind a proxy at which its successors can be reached. */
async function replaceable(context: Context): Promise<{ app: AppServer; proxy: TcpProxy }> {
  const proxy = context.own(await TcpProxy.start());
  const server = await context.startApp();
  proxy.target = server.url;
  return { app: { ...server, url: proxy.url }, proxy };
}

/** Clients of every kind in company that lose their app server, and how they come back to its successor. */
async function replace(
  context: Context,
  end: (app: AppServer) => Promise<unknown>,
): Promise<Client[]> {
  const { app, proxy } = await replaceable(context);
  const clients = await context.connectAll({ app, reconnects: true });
  const before = await Promise.all(clients.map((client) => client.id()));
  await end(app);
  for (const client of clients) await client.event('reconnecting');
  proxy.target = (await context.startApp({ prefix: app.prefix })).url;
  for (const client of clients) await client.event('reconnected');
  const after = await Promise.all(clients.map((client) => client.id()));
  expect(new Set([...before, ...after]).size).toBe(2 * clients.length);
  return clients;
}

export const restarts: readonly Scenario[] = [
  {
    name: 'reconnects after the app server was killed and started again',
    async run(context) {
      await replace(context, async (app) => {
        app.child.kill('SIGKILL');
        await app.exited;
      });
    },
  },
  {
    name: 'reconnects after the app server has stopped, without an error',
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
    withoutControl: WITHOUT_CONTROL.edge,
    async run(context) {
      const { app, proxy } = await replaceable(context);
      const clients = await context.connectAll({ app, reconnects: true });
      proxy.target = (await context.startApp({ prefix: app.prefix })).url;
      await app.stop();
      for (const client of clients) {
        await context.eventually(async () => {
          expect(await client.invoke('echo', 'still served')).toBe('still served');
        });
        expect(client.state).toBe('Connected');
      }
    },
  },
  {
    name: 'answers negotiate with 503 until the edge is there',
    withoutPackage: WITHOUT_PACKAGE.negotiate,
    withoutControl: WITHOUT_CONTROL.edge,
    async run(context) {
      const proxy = context.own(await TcpProxy.start());
      const app = await context.startApp({ edgeUrl: proxy.url, ready: 'listening' });
      const negotiate = (): Promise<Response> =>
        fetch(`${app.url}/main/negotiate?negotiateVersion=1`, { method: 'POST' });
      const early = await negotiate();
      expect(early.status).toBe(503);
      expect(early.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      await expect(app.control({ do: 'send', hub: 'main', to: ['all'], args: [] })).rejects.toThrow(
        'no server connection',
      );
      proxy.target = context.edge.url;
      await context.eventually(async () => expect((await negotiate()).status).toBe(200));
      const [client] = await context.connectAll({ app });
      expect(await client!.invoke('echo', 'here we are')).toBe('here we are');
    },
  },
];
