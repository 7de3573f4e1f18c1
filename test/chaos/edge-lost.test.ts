import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import type { Client } from '../conformance/client.ts';
import type { HubClient } from '../edge/support/hub-client.ts';
import { expectCloses, expectDisconnected, expectNothingLeft } from './expectations.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { TEST_MS, World } from './world.ts';

const CLIENTS = 10;

interface Peers {
  readonly clients: readonly Client[];
  readonly ids: readonly string[];
  readonly observer: HubClient;
}

/**
 * A port to which an edge can come back. One that listened on port 0 could not, for a minute: the
 * kernel lets an address in TIME_WAIT be used again only where both asked for it by number.
 */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `${port}`;
}

async function startWorld(): Promise<World> {
  return World.start({ args: ['--port', await freePort()] });
}

async function connectPeers(world: World): Promise<Peers> {
  const clients = await world.connectAll(CLIENTS);
  const ids = await Promise.all(clients.map((client) => client.id()));
  return { clients, ids, observer: await world.observe() };
}

/** How often something happened, by the log: the first time is a line, what follows is counted. */
function counted(output: string, message: string): number {
  const lines = output.split('\n').filter((line) => line.includes(`"msg":"${message}"`));
  return lines
    .map((line) => (JSON.parse(line) as { count: number }).count)
    .reduce((sum, count) => sum + count, 0);
}

/** App server and clients find a new edge by themselves; nothing of the old one is left over. */
async function expectFound(world: World, { clients, ids, observer }: Peers): Promise<void> {
  await world.startEdgeAgain();
  await world.serverConnections(CONNECTIONS);
  await Promise.all(clients.map((client) => client.event('reconnected')));
  const now = await Promise.all(clients.map((client) => client.id()));
  expect(new Set([...ids, ...now]).size).toBe(2 * CLIENTS);
  await expectDisconnected(world, [...ids, observer.connectionId]);
  await expectCloses(world, { clients: {}, servers: {} });
  await expectNothingLeft(world, CONNECTIONS);
}

describe.concurrent('an edge', { timeout: TEST_MS }, () => {
  it('gets a SIGTERM: all are told to come back, and find the one after it', async () => {
    await using world = await startWorld();
    const peers = await connectPeers(world);

    expect(await world.edge.stop()).toEqual({ code: 0, signal: null });
    expect((await peers.observer.closed).code).toBe(1001);
    expect(peers.observer.received.all).toEqual([{ type: 7, allowReconnect: true }]);
    for (const client of peers.clients) {
      expect(await client.event('reconnecting')).toMatchObject({ error: undefined });
    }
    expect(counted(world.edge.output(), 'server connection closed')).toBe(CONNECTIONS);
    await expectFound(world, peers);
  });

  it('is killed: nobody is told, and all find the one after it', async () => {
    await using world = await startWorld();
    const peers = await connectPeers(world);

    world.edge.child.kill('SIGKILL');
    expect((await peers.observer.closed).code).toBe(1006);
    expect(peers.observer.received.all).toEqual([]);
    for (const client of peers.clients) {
      expect((await client.event('reconnecting')).error).toContain('1006');
    }
    await world.edge.exited;
    await expectFound(world, peers);
  });
});
