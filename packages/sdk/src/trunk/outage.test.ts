import { MessageType } from '@trunkline/protocol';
import { expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import { passing, serve } from '../harness.test-support.ts';
import type { Harness } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import type { UntypedClient } from '../sending/clients.ts';

const CONNECTIONS = 5;
const MINUTE = 60;

/** The tick that everything shares. */
const AT_REST = 1;
/** That, and the wait for the next probe. */
const WAITING = 2;

/** The service goes, and refuses whoever comes, for a minute; answers when it was asked, in seconds. */
async function outage(
  { server, service }: Harness<UntypedClient>,
  clock: ManualClock,
): Promise<number[]> {
  const asked: number[] = [];
  const before = service.requests.length;
  service.refuseWith = 503;
  for (const { socket } of service.connections) socket.terminate();
  const lost = () => server.health.status === 'down' && server.health.clients === 0;
  await until(lost, 'the loss');
  for (let second = 0; second < MINUTE; second++) {
    await until(() => clock.pending.length === WAITING, 'the wait for the next probe');
    while (before + asked.length < service.requests.length) asked.push(second);
    clock.advance(1000);
  }
  service.refuseWith = undefined;
  await passing(
    clock,
    until(() => service.live.length === CONNECTIONS, 'its return'),
  );
  return asked;
}

test('a minute without the service: probes are paced, what waited ends, nothing is left over', async () => {
  const events: string[] = [];
  class Chat extends Hub {
    override onDisconnected(error?: Error): void {
      events.push(`${this.context.connectionId} ${error}`);
    }
    wait(): Promise<void> {
      return new Promise((resolve) => {
        this.signal.addEventListener('abort', () => resolve(events.push('aborted') as never));
      });
    }
    hello(): string {
      return 'hello';
    }
  }
  const clock = new ManualClock();
  const options = { clock, server: { connectionCount: CONNECTIONS } };
  const world = await serve(Chat, options);
  const { server, service, hub } = world;
  const whole = () => server.health.hubs[0]!.endpoints[0]!.serverConnections === CONNECTIONS;
  for (let round = 1; round <= 3; round++) {
    await until(whole, 'every connection');
    await until(() => clock.pending.length === AT_REST, 'rest');
    // Long enough not to count as a connection of no use.
    clock.advance(2000);
    const clients = service.live.map((trunk, at) => trunk.open({ id: `${round}-${at}` }));
    for (const client of clients) await client.text(0);
    clients[0]!.call('wait');
    const joined = hub.groups.add(clients[1]!.id, 'g').catch((error: unknown) => error);
    const answer = hub.clients.client(clients[2]!.id).invoke({ timeout: 90_000 }).send('ask');
    const answered = answer.catch((error: unknown) => error);
    await service.live[2]!.next(MessageType.ClientInvocation);

    const asked = await outage(world, clock);

    expect(asked).toHaveLength(6);
    const waits = asked.slice(1).map((at, n) => at - asked[n]!);
    for (const [n, least] of [1, 2, 4, 8, 16].entries()) {
      expect(waits[n]).toBeGreaterThanOrEqual(least);
      expect(waits[n]).toBeLessThanOrEqual(least + 2);
    }
    expect(await joined).toMatchObject({ code: 'ack-timeout' });
    expect(await answered).toMatchObject({ code: 'client-gone' });
    const ends = clients.map(({ id }) => `${id} undefined`);
    await until(() => events.length === CONNECTIONS + 1, 'every onDisconnected');
    expect(events.splice(0).sort()).toEqual([...ends, 'aborted'].sort());
    expect(server.health).toMatchObject({ status: 'up', clients: 0 });

    const fresh = service.live[0]!.open({ id: `fresh-${round}` });
    fresh.call('hello');
    expect(await fresh.text(1)).toContain('"hello"');
    fresh.close();
    await until(() => events.length === 1, 'its end');
    events.splice(0);
  }
  await until(() => clock.pending.length === AT_REST, 'rest');
  expect(service.connections.filter(({ closeCode }) => closeCode === undefined)).toHaveLength(5);
});

test('while there is no service, sends and negotiate say so at once', async () => {
  class Chat extends Hub {}
  const clock = new ManualClock();
  const { server, service, hub } = await serve(Chat, { clock });
  service.refuseWith = 503;
  service.live[0]!.socket.terminate();
  await until(() => server.health.status === 'down', 'its end');
  await expect(hub.clients.all.send('m')).rejects.toMatchObject({ code: 'not-connected' });
  await expect(hub.groups.add('c', 'g')).rejects.toMatchObject({ code: 'not-connected' });
  const request = new Request('http://app/chat/negotiate', { method: 'POST' });
  expect((await server.web()(request)).status).toBe(503);
});

test('a service that answers nothing is cut off 5 s after it was given up', async () => {
  class Chat extends Hub {}
  const clock = new ManualClock();
  const { trunk, service } = await serve(Chat, { clock });
  trunk.socket.pause();
  for (let second = 0; second < 36; second++) clock.advance(1000);
  await until(() => service.live.length === 2, 'another one');
  const before = sockets();
  clock.advance(5000);
  expect(await until(() => sockets() === before - 1, 'the end of its socket')).toBe(true);
});

/** Those of this process that are read from. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}
