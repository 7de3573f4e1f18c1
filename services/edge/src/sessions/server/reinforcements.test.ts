import { MessageType } from '@trunkline/protocol';
import { beforeEach, expect, test } from 'vitest';
import type { FakeServer } from '../fixtures.test-support.ts';
import { JSON_HANDSHAKE, TestEdge } from '../fixtures.test-support.ts';

let edge: TestEdge;

beforeEach(() => {
  edge = new TestEdge();
});

/** A server connection that takes no more for now. */
async function full(serverId: string): Promise<FakeServer> {
  const server = await edge.server({ serverId });
  server.socket.answer = 0;
  server.socket.buffered = 2_000_000;
  server.session.write({ type: MessageType.Ping, entries: [] });
  await server.messages();
  expect(server.session.isFull).toBe(true);
  return server;
}

function arrive(): void {
  edge.strangeClient({}).says(JSON_HANDSHAKE);
}

/** How often it has been asked since. */
async function asked(server: FakeServer): Promise<number> {
  const target = ['target', edge.context.edgeId];
  const messages = await server.messages();
  return messages.filter(
    (message) => message.type === MessageType.Ping && message.entries.join() === target.join(),
  ).length;
}

test('each process with full connections is asked once, while clients wait', async () => {
  const [a, again, b] = [await full('a'), await full('a'), await full('b')];
  expect([await asked(a), await asked(again), await asked(b)]).toEqual([0, 0, 0]);
  arrive();
  arrive();
  expect([await asked(a), await asked(again), await asked(b)]).toEqual([1, 0, 1]);
});

test('it is asked again when nothing has come of it', async () => {
  const server = await full('a');
  arrive();
  edge.pass(9);
  arrive();
  expect(await asked(server)).toBe(1);
  edge.pass(1);
  arrive();
  expect(await asked(server)).toBe(1);
});

test('who has ten connections is asked for no more', async () => {
  const servers = [];
  for (let n = 0; n < 10; n++) servers.push(await full('a'));
  arrive();
  for (const server of servers) expect(await asked(server)).toBe(0);
});

test('nobody is asked for a hub without app servers, or by one that goes', async () => {
  arrive();
  const server = await full('a');
  server.session.drain();
  arrive();
  expect(await asked(server)).toBe(0);
});
