import { MessageType } from '@trunkline/protocol';
import { expect, test } from 'vitest';
import type { FakeClient, FakeServer } from './fixtures.test-support.ts';
import { TestEdge } from './fixtures.test-support.ts';

const HUB_CLOSE = '{"type":7,"allowReconnect":true}␞';
const FINACK = ['ping', 'shutdown', 'finack'];

async function crowd(count: number): Promise<{
  edge: TestEdge;
  server: FakeServer;
  clients: FakeClient[];
}> {
  const edge = new TestEdge();
  const server = await edge.server({ serverId: 'a' });
  const clients: FakeClient[] = [];
  for (let i = 0; i < count; i++) clients.push(await edge.client(server));
  return { edge, server, clients };
}

const closed = (clients: readonly FakeClient[]): number =>
  clients.filter(({ socket }) => !socket.isOpen).length;

test('a hundred are closed at once, the rest a hundred a step', async () => {
  const { edge, server, clients } = await crowd(350);
  server.socket.leave(1006);
  expect(closed(clients)).toBe(100);
  edge.time.pass(74);
  expect(closed(clients)).toBe(100);
  edge.time.pass(51);
  expect(closed(clients)).toBe(200);
  edge.time.pass(250);
  expect(closed(clients)).toBe(350);
  expect(clients.map(({ heard }) => heard)).toEqual(clients.map(() => [HUB_CLOSE]));
  expect(edge.closes).toEqual({ ServerConnectionClosed: 350 });
});

test('however many there are, all are closed within five seconds, and evenly', async () => {
  const { edge, server, clients } = await crowd(5000);
  server.socket.leave(1006);
  expect(closed(clients)).toBeLessThanOrEqual(125);
  let most = 0;
  for (let ms = 0; ms < 5000; ms += 100) {
    const before = closed(clients);
    edge.time.pass(100);
    most = Math.max(most, closed(clients) - before);
  }
  expect(closed(clients)).toBe(5000);
  expect(most).toBeLessThanOrEqual(250);
});

test('meanwhile a server that would end its clients gets no answer, and serves them', async () => {
  const { edge, server, clients } = await crowd(150);
  server.says({ type: MessageType.Ping, entries: ['shutdown', 'fin:0'] });
  expect((await server.heard()).filter(([kind]) => kind === 'ping')).toEqual([]);
  const left = clients.find(({ socket }) => socket.isOpen)!;
  left.says('{"type":6}␞');
  server.data(left, '{"type":6}␞');
  expect(await server.heard()).toEqual([['data', left.id, '{"type":6}␞']]);
  expect(left.heard).toEqual(['{"type":6}␞']);
  edge.time.pass(125);
  expect((await server.heard()).at(-1)).toEqual(FINACK);
  expect(closed(clients)).toBe(150);
});

test('who leaves meanwhile is closed no more, and a later lot begins anew', async () => {
  const { edge, server, clients } = await crowd(150);
  const second = await edge.server({ serverId: 'b' });
  server.socket.leave(1006);
  clients.find(({ socket }) => socket.isOpen)!.socket.leave(1000);
  edge.time.pass(1000);
  expect(edge.closes).toEqual({ ServerConnectionClosed: 149, Normal: 1 });
  const late = await edge.client(second);
  second.socket.leave(1006);
  expect(late.heard).toEqual([HUB_CLOSE]);
});

test('after thousands the pace is a hundred a step again', async () => {
  const { edge, server } = await crowd(5000);
  server.socket.leave(1006);
  edge.time.pass(6000);
  const second = await edge.server({ serverId: 'b' });
  const later: FakeClient[] = [];
  for (let i = 0; i < 200; i++) later.push(await edge.client(second));
  second.socket.leave(1006);
  expect(closed(later)).toBe(100);
});
