import { describe, expect, test } from 'vitest';
import { CLIENT_CLOSE_REASONS } from '../close-reason.ts';
import type { FakeServer } from '../fixtures.test-support.ts';
import { JSON_HANDSHAKE, TestEdge } from '../fixtures.test-support.ts';
import type { Affinity } from '../served.ts';

function arrive(edge: TestEdge, affinity?: Affinity): void {
  edge.strangeClient(affinity === undefined ? {} : { affinity }).says(JSON_HANDSHAKE);
}

const loads = (servers: readonly FakeServer[]): number[] =>
  servers.map(({ session }) => session.clients.length);

describe('without affinity', () => {
  test('clients go where the fewest are', async () => {
    const edge = new TestEdge();
    const servers = [await edge.server(), await edge.server(), await edge.server()];
    for (let i = 0; i < 7; i++) arrive(edge);
    expect(loads(servers).toSorted((a, b) => a - b)).toEqual([2, 2, 3]);
    for (const client of servers.at(1)!.session.clients.slice())
      client.close(CLIENT_CLOSE_REASONS.normal);
    arrive(edge);
    expect(loads(servers)[1]).toBe(1);
  });

  test('connections that are full, draining, weak or strangers are passed by', async () => {
    const edge = new TestEdge();
    const [full, draining, good] = [await edge.server(), await edge.server(), await edge.server()];
    edge.strangeServer();
    edge.strangeServer().shakesHands(2);
    arrive(edge);
    full.socket.answer = 0;
    full.socket.buffered = 2_000_000;
    await full.messages();
    draining.session.drain();
    for (let i = 0; i < 4; i++) arrive(edge);
    expect(loads([full, draining, good])).toEqual([1, 0, 4]);
  });
});

describe('a sticky client', () => {
  const servers = async (edge: TestEdge): Promise<FakeServer[]> => [
    await edge.server({ serverId: 'a' }),
    await edge.server({ serverId: 'b' }),
    await edge.server({ serverId: 'b' }),
  ];

  test.each(['Preferred', 'Required'] as const)('%s goes to its server', async (sticky) => {
    const edge = new TestEdge();
    const all = await servers(edge);
    for (let i = 0; i < 6; i++) arrive(edge, { sticky, serverName: 'b' });
    expect(loads(all)).toEqual([0, 3, 3]);
  });

  test('that prefers a server takes another when that is not there', async () => {
    const edge = new TestEdge();
    const all = await servers(edge);
    for (let i = 0; i < 3; i++) arrive(edge, { sticky: 'Preferred', serverName: 'gone' });
    expect(loads(all)).toEqual([1, 1, 1]);
  });

  test('that requires a server which is not there is turned away', async () => {
    const edge = new TestEdge();
    const all = await servers(edge);
    arrive(edge, { sticky: 'Required', serverName: 'gone' });
    expect(loads(all)).toEqual([0, 0, 0]);
    expect(edge.closes).toEqual({ NoAvailableServerConnection: 1 });
  });
});

describe('a client that has lost its server', () => {
  const prefersA = { sticky: 'Preferred', serverName: 'a' } as const;

  test('and prefers it goes to no connection of a process that remembers it', async () => {
    const edge = new TestEdge({ migration: 'always' });
    const [lost, same] = [
      await edge.server({ serverId: 'a' }),
      await edge.server({ serverId: 'a' }),
    ];
    const client = await edge.client(lost, { affinity: prefersA });
    const from = client.session.host === lost.session ? lost : same;
    from.socket.leave(1006);
    expect(client.session.host).toBe(undefined);
    const other = await edge.server({ serverId: 'b' });
    expect(client.session.host).toBe(other.session);
  });

  test('comes back to the one it prefers when that has dialled again', async () => {
    const edge = new TestEdge({ migration: 'always' });
    const lost = await edge.server({ serverId: 'a' });
    const client = await edge.client(lost, { affinity: prefersA });
    lost.socket.leave(1006);
    const again = await edge.server({ serverId: 'a' });
    expect(client.session.host).toBe(again.session);
  });
});
