import { describe, expect, test } from 'vitest';
import { JSON_HANDSHAKE, TestEdge } from './fixtures.test-support.ts';
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
