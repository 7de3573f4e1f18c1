import { freePort } from '@trunkline/testing';
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
 * With an edge that can come back to its port. One that listened on port 0 could not, for a minute:
 * the kernel lets an address in TIME_WAIT be used again only where both asked for it by number.
 */
async function startWorld(): Promise<World> {
  return World.start({ args: ['--port', `${await freePort()}`] });
}

async function connectPeers(world: World): Promise<Peers> {
  const clients = await world.connectAll(CLIENTS);
  const ids = await Promise.all(clients.map((client) => client.id()));
  return { clients, ids, observer: await world.observe() };
}

/** Server connections closed, by their reason: the log has a line for the first and counts the rest. */
function closesInLog(output: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of output.split('\n')) {
    if (!line.includes('"msg":"server connection closed"')) continue;
    const { reason, count } = JSON.parse(line) as { reason: string; count: number };
    counts[reason] = (counts[reason] ?? 0) + count;
  }
  return counts;
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
    expect(closesInLog(world.edge.output())).toEqual({ ServiceReload: CONNECTIONS });
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
