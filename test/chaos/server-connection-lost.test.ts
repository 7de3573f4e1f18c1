import { describe, expect, it } from 'vitest';

import type { Client } from '../conformance/client.ts';
import { Bystander } from './bystander.ts';
import type { Link } from './network.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { World } from './world.ts';

const EACH = 2;
const CLIENTS = EACH * CONNECTIONS;
/** The SDK gives the service 30 s, and looks every 5 s. */
const SDK_SILENCE_MS = 36_000;

/** A world whose one app server reaches the edge through a network, and its clients. */
async function behindNetwork(world: World, delayMs = 0) {
  const network = await world.network(delayMs);
  await world.startApp({ name: 'A', edgeUrl: network.url });
  await world.serverConnections(CONNECTIONS);
  const clients = await world.connectAll(CLIENTS);
  const ids = new Map<Client, string>();
  for (const client of clients) ids.set(client, await client.id());
  return { network, clients, ids };
}

/** Waits until as many clients as one server connection carries have come back; gives these. */
async function comeBack(world: World, clients: readonly Client[]): Promise<Client[]> {
  const back = (): Client[] =>
    clients.filter(({ events }) => events.all.some(({ type }) => type === 'reconnected'));
  await world.eventually(() => expect(back()).toHaveLength(EACH));
  return back();
}

/** Those that did not come back have never been away, and all can call. */
async function expectOthersUndisturbed(clients: readonly Client[], back: readonly Client[]) {
  for (const client of clients) {
    if (!back.includes(client)) expect(client.events.all).toEqual([]);
    expect(await client.invoke('echo', 'here')).toBe('here');
  }
}

describe.concurrent('one of five server connections', () => {
  it.each([
    ['is reset', (link: Link) => link.reset()],
    ['ends without a close frame', (link: Link) => link.end()],
  ])('%s: its clients alone come back, and the SDK dials again at once', async (_n, cut) => {
    await using world = await World.start({ apps: [] });
    const { network, clients, ids } = await behindNetwork(world);

    const start = performance.now();
    cut(network.links[0]!);
    await world.eventually(() => expect(network.links).toHaveLength(CONNECTIONS + 1));
    await world.serverConnections(CONNECTIONS);
    expect(performance.now() - start).toBeLessThan(1_000);
    const back = await comeBack(world, clients);
    expect(performance.now() - start).toBeLessThan(2_000);
    for (const client of back) expect(client.events.all[0]!.error).toBeUndefined();
    await world.disconnectedOnce(back.map((client) => ids.get(client)!));
    await world.expectCloses({
      clients: { ServerConnectionClosed: EACH },
      servers: { ConnectionLost: 1 },
    });
    await expectOthersUndisturbed(clients, back);
    await world.expectNothingLeft(CONNECTIONS);
  }, 60_000);

  it('falls silent: its clients are moved within 14 s, and the SDK gives it up by itself', async () => {
    await using world = await World.start({ apps: [] });
    const { network, clients, ids } = await behindNetwork(world);

    const start = performance.now();
    network.links[0]!.stall();
    const back = await comeBack(world, clients);
    expect(performance.now() - start).toBeLessThan(14_000);
    for (const client of back) expect(client.events.all[0]!.error).toBeUndefined();
    await world.expectCloses({
      clients: { ServerConnectionClosed: EACH },
      servers: { PingTimeout: 1 },
    });
    await world.serverConnections(CONNECTIONS - 1);
    await expectOthersUndisturbed(clients, back);

    // No word of that reaches the app server: it goes by its own 30 s.
    await world.disconnectedOnce(back.map((client) => ids.get(client)!));
    expect(performance.now() - start).toBeLessThan(SDK_SILENCE_MS);
    await world.serverConnections(CONNECTIONS);
    await world.expectNothingLeft(CONNECTIONS);
  }, 90_000);

  it('is slow, as all are: every call is answered, in order, and nobody is closed', async () => {
    await using world = await World.start({ apps: [] });
    const delayMs = 400;
    const { clients } = await behindNetwork(world, delayMs);
    const bystander = new Bystander(clients[0]!);
    const start = performance.now();
    const answers = Array.from({ length: 100 }, (_, n) => clients[1]!.invoke('echo', n));
    expect(await Promise.all(answers)).toEqual(answers.map((_, n) => n));
    expect(performance.now() - start).toBeGreaterThan(2 * delayMs);
    await bystander.expectUndisturbed();
    await world.expectCloses({ clients: {}, servers: {} });
    await world.expectNothingLeft(CONNECTIONS);
  }, 60_000);
});
