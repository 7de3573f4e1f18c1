import { describe, expect, test } from 'vitest';
import { JSON_HANDSHAKE, TestEdge, turn } from './fixtures.test-support.ts';
import { Watch } from './watch.ts';

describe('the end of a sign-in', () => {
  const signIn = (edge: TestEdge, seconds: number): { expiresAt: number } => ({
    expiresAt: edge.context.time.unixSeconds() + seconds,
  });

  test('closes the client, which may reconnect and sign in again', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server, signIn(edge, 3));
    const other = await edge.client(server);
    edge.pass(2);
    expect(client.socket.isOpen).toBe(true);
    edge.pass(1);
    expect(client.heard).toEqual(['{"type":7,"allowReconnect":true}␞']);
    expect(client.socket.ended?.code).toBe(1000);
    expect(edge.closes).toEqual({ SignInExpired: 1 });
    expect(await server.heard()).toEqual([['close', client.id, '']]);
    expect(other.socket.isOpen).toBe(true);
    expect(edge.context.expiring.size).toBe(0);
  });

  test('ends a client in its handshake too', () => {
    const edge = new TestEdge();
    const client = edge.strangeClient(signIn(edge, 1));
    client.says(JSON_HANDSHAKE);
    edge.pass(1);
    expect(client.heard).toEqual(['{"error":"Handshake was canceled."}␞']);
    expect(edge.closes).toEqual({ SignInExpired: 1 });
  });

  test('is a moment in time: an edge that slept through it closes the client as it wakes', async () => {
    const edge = new TestEdge();
    const client = await edge.client(await edge.server(), signIn(edge, 60));
    edge.sleep(59);
    expect(client.socket.isOpen).toBe(true);
    edge.sleep(1);
    expect(edge.closes).toEqual({ SignInExpired: 1 });
  });

  test('means nothing to a client that has gone before', async () => {
    const edge = new TestEdge();
    const client = await edge.client(await edge.server(), signIn(edge, 2));
    client.socket.leave(1000);
    expect(edge.context.expiring.size).toBe(0);
    edge.pass(3);
    expect(edge.closes).toEqual({ Normal: 1 });
  });
});

test('tells everybody how long the edge itself slept, beyond the second between two looks', () => {
  const edge = new TestEdge();
  const lates: number[] = [];
  const watch = new Watch(edge.context, [{ expire: (_now, late) => lates.push(late) }]);
  edge.pass(2);
  edge.sleep(2);
  edge.sleep(30);
  edge.pass(1);
  watch.stop();
  edge.pass(1);
  expect(lates).toEqual([0, 0, 0, 29_000, 0]);
});

describe('clients whose time is over all at once', () => {
  test.each([
    ['wait for an app server', {}, 'NoAvailableServerConnection'],
    ['are signed in until then', { expiresIn: 10 }, 'SignInExpired'],
  ])(
    'are closed in several turns: they %s',
    async (_, { expiresIn }: { expiresIn?: number }, reason) => {
      const edge = new TestEdge({ serverWaitMs: expiresIn === undefined ? 10_000 : 60_000 });
      const expiresAt = expiresIn && edge.context.time.unixSeconds() + expiresIn;
      for (let n = 0; n < 50; n++) {
        const client = edge.strangeClient({ ...(expiresAt !== undefined && { expiresAt }) });
        client.says(JSON_HANDSHAKE);
      }
      edge.pass(9);
      expect(edge.closes).toEqual({});
      // Two looks at the clock take a turn's time.
      edge.time.lookMs = 1;
      edge.pass(1);
      const atOnce = edge.closes[reason]!;
      expect(atOnce).toBeGreaterThan(0);
      expect(atOnce).toBeLessThan(10);
      for (let n = 0; n < 50; n++) await turn();
      expect(edge.closes).toEqual({ [reason]: 50 });
    },
  );
});
