import { describe, expect, it } from 'vitest';

import { metric } from '../edge/support/metrics.ts';
import { bystand } from './bystander.ts';
import { expectCloses, expectDisconnected, expectNothingLeft } from './expectations.ts';
import type { Link } from './network.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { TEST_MS, World } from './world.ts';

/** What networks hold of a connection that is not read is well below this many messages. */
const MOST_MESSAGES = 1_000;
const TEXT = 'x'.repeat(64 * 1024);
const CLIENT_TIMEOUT_MS = 5_000;
/** Its own, of a client that is to be found silent first, however busy the machine is. */
const SERVER_TIMEOUT_MS = 12_000;

describe.concurrent('a client', { timeout: TEST_MS }, () => {
  it.each([
    ['is cut off by a FIN without a close frame', (link: Link) => link.end()],
    ['is cut off by a RST', (link: Link) => link.reset()],
  ])('%s: the hub hears of it, and it comes back', async (_name, cut) => {
    await using world = await World.start();
    const network = await world.network();
    const bystander = bystand(await world.connect());
    const client = await world.connect({ through: network });
    const id = await client.id();

    const start = performance.now();
    cut(network.links[0]!);
    await expectDisconnected(world, [id]);
    expect(performance.now() - start).toBeLessThan(1_000);
    await client.event('reconnected');
    expect(await client.id()).not.toBe(id);

    await expectCloses(world, { clients: { ConnectionLost: 1 }, servers: {} });
    await bystander.expectUndisturbed();
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('vanishes silently: the app server closes it when its pings stay away', async () => {
    await using world = await World.start({ clientTimeout: CLIENT_TIMEOUT_MS });
    const network = await world.network();
    const watcher = await world.connect();
    watcher.connection.keepAliveIntervalInMilliseconds = 300;
    const bystander = bystand(watcher);
    const client = world.client({ through: network });
    client.connection.keepAliveIntervalInMilliseconds = 300;
    client.connection.serverTimeoutInMilliseconds = SERVER_TIMEOUT_MS;
    await client.connection.start();
    const id = await client.id();
    const pings = (): Promise<number> =>
      metric(world.edge, 'trunkline_messages_total', { direction: 'from_client' });
    const before = await pings();
    await world.eventually(async () => expect(await pings()).toBeGreaterThan(before + 20));
    // The last that its app server hears, whenever the latest ping was.
    await client.invoke('echo', 'here');

    const start = performance.now();
    network.links[0]!.stall();
    await expectDisconnected(
      world,
      [id],
      "Client hasn't sent a message/ping within the configured ClientTimeoutInterval.",
    );
    const silence = performance.now() - start;
    expect(silence).toBeGreaterThan(CLIENT_TIMEOUT_MS / 2);
    expect(silence).toBeLessThan(CLIENT_TIMEOUT_MS + 3_000);
    await expectCloses(world, { clients: { ClosedByAppServer: 1 }, servers: {} });

    // It knows nothing of that, and comes back when it has heard nothing for too long.
    expect((await client.event('reconnecting')).error).toContain('Server timeout elapsed');
    await client.event('reconnected');
    expect(await client.id()).not.toBe(id);
    await bystander.expectUndisturbed();
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('stops reading what the hub sends to everybody: the others get all, in order', async () => {
    await using world = await World.start();
    const network = await world.network();
    const others = await world.connectAll(3);
    const slow = await world.connect({ through: network });
    const id = await slow.id();

    const [link] = network.links;
    link!.stallDown();
    const slowClients = (): Promise<number> => metric(world.edge, 'trunkline_slow_clients_total');
    let sent = 0;
    while (sent < MOST_MESSAGES && (await slowClients()) === 0) {
      await others[0]!.invoke('broadcast', sent++, TEXT);
      for (const other of others) await other.numbers(sent);
    }
    await expectCloses(world, { clients: { SlowClient: 1 }, servers: {} });
    await expectDisconnected(world, [id]);
    const all = Array.from({ length: sent }, (_, number) => number);
    for (const other of others) {
      expect(await other.numbers(sent)).toEqual(all);
      expect(other.events.all).toEqual([]);
    }

    // What was on its way still comes, and is a beginning; then it hears that it has been cut off.
    link!.resume();
    await slow.event('reconnected');
    const heard = slow.messages.all.map(([number]) => number);
    expect(heard).toEqual(all.slice(0, heard.length));
    expect(heard.length).toBeLessThan(sent);
    expect(await slow.id()).not.toBe(id);
    await expectNothingLeft(world, CONNECTIONS);
  });
});
