import { expect, test } from 'vitest';
import { counted, TestEdge } from '../fixtures.test-support.ts';
import { Capacity } from './capacity.ts';

test('an edge takes as many connections as it may have, and counts the others', async () => {
  const edge = new TestEdge({ connections: 2 });
  const capacity = new Capacity(edge.context);
  const server = await edge.server();
  await edge.client(server);
  const id = capacity.reserve()!;
  expect([id.length > 0, capacity.reserve()]).toEqual([true, undefined]);
  expect(capacity.hasSocket()).toBe(true);
  expect(counted(edge.context.counters.refusals)).toEqual({ connections: 1 });
  edge.context.clients.release(id);
  expect(capacity.reserve()).toBeTypeOf('string');
});

test('an edge takes nobody when it has as many sockets open as its files allow', () => {
  const edge = new TestEdge({ openSockets: 10 });
  const capacity = new Capacity(edge.context);
  edge.context.counters.openSockets = 9;
  expect([capacity.hasSocket(), typeof capacity.reserve()]).toEqual([true, 'string']);
  edge.context.counters.openSockets = 10;
  expect([capacity.hasSocket(), capacity.reserve()]).toEqual([false, undefined]);
  expect(counted(edge.context.counters.refusals)).toEqual({ open_files: 2 });
});
