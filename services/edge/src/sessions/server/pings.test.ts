import { MessageType } from '@trunkline/protocol';
import { expect, test } from 'vitest';
import { JSON_HANDSHAKE, TestEdge } from '../fixtures.test-support.ts';
import type { FakeServer } from '../fixtures.test-support.ts';

const ping = (server: FakeServer, ...entries: readonly string[]): void =>
  server.says({ type: MessageType.Ping, entries });

/** .NET ticks of the test edge's clock: 1,700,000,000 s and 1,000 s. */
const STAMP = 621_355_968_000_000_000n + 1_700_001_000n * 10_000_000n;

test('keep-alives, load reports and what nobody knows get no answer', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  ping(server);
  ping(server, '#clientInHub', '5', '#client', '2');
  ping(server, 'what', 'status', 'is', 'servers');
  ping(server, 'echo', 'back');
  ping(server, 'shutdown', 'finack');
  ping(server, 'odd');
  expect(await server.heard()).toEqual([]);
});

test('status tells whether the hub has clients, and what the edge has,', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  const other = await edge.server({ hub: 'other' });
  ping(server, 'status', '1');
  const load = (clients: string) => ['clientcount', clients, 'servercount', '2'];
  expect(await server.heard()).toEqual([['ping', 'status', '0', ...load('0')]]);
  const client = await edge.client(server);
  ping(server, 'status', '');
  ping(other, 'status', '1');
  expect(await server.heard()).toEqual([['ping', 'status', '1', ...load('1')]]);
  expect(await other.heard()).toEqual([['ping', 'status', '0', ...load('1')]]);
  client.socket.leave(1000);
  ping(server, 'status', '1');
  expect(await server.heard()).toContainEqual(['ping', 'status', '0', ...load('0')]);
});

test('status tells what the edge can hold, where that is bounded', async () => {
  const edge = new TestEdge({ connections: 500, openSockets: 400 });
  const server = await edge.server();
  ping(server, 'status', '1');
  const load = ['clientcount', '0', 'servercount', '1', 'capacity', '400'];
  expect(await server.heard()).toEqual([['ping', 'status', '0', ...load]]);
});

test('servers lists the ids of the hub, sorted and each once, under a growing stamp', async () => {
  const edge = new TestEdge();
  const server = await edge.server({ serverId: 'b' });
  for (const serverId of ['c', 'a', 'b']) await edge.server({ serverId });
  await edge.server({ serverId: 'z', hub: 'other' });
  edge.strangeServer({ serverId: 'stranger' });
  ping(server, 'servers', '');
  ping(server, 'servers', '');
  const answers = (await server.heard()).map(([, key, value]) => {
    const [stamp, ids] = String(value).split(':') as [string, string];
    return { key, stamp: BigInt(stamp), ids };
  });
  expect(answers.map(({ key, ids }) => [key, ids])).toEqual([
    ['servers', 'a;b;c'],
    ['servers', 'a;b;c'],
  ]);
  const stamps = answers.map(({ stamp }) => stamp);
  expect(stamps.at(0)).toBeGreaterThanOrEqual(STAMP);
  expect(stamps.at(0)).toBeLessThan(STAMP + 1000n);
  expect(stamps.at(1)).toBeGreaterThan(stamps.at(0)!);
});

test('fin:2 is acknowledged each time, and no new clients come; the others stay', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  const client = await edge.client(server);
  ping(server, 'shutdown', 'fin:2');
  ping(server, 'shutdown', 'fin:2');
  expect(await server.heard()).toEqual([
    ['ping', 'shutdown', 'finack'],
    ['ping', 'shutdown', 'finack'],
  ]);
  const late = edge.strangeClient();
  late.says(JSON_HANDSHAKE);
  expect(edge.hubs.get('chat')!.waiting.size).toBe(1);
  client.says('{"type":6}␞');
  server.data(client, '{"type":6}␞');
  expect(client.heard).toEqual(['{"type":6}␞']);
  edge.pass(5);
  expect(await server.heard()).toEqual([['data', client.id, '{"type":6}␞'], ['ping']]);
  edge.pass(7);
  expect(server.socket.isOpen).toBe(false);
});

test('fin:1 sends clients away, each when its calls are answered, to where they are served', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  const idle = await edge.client(server);
  const busy = await edge.client(server);
  const opening = edge.strangeClient();
  opening.says(JSON_HANDSHAKE);
  busy.says('{"type":1,"invocationId":"1","target":"a","arguments":[]}␞');
  busy.says('{"type":1,"invocationId":"2","target":"b","arguments":[]}␞');
  ping(server, 'shutdown', 'fin:1');
  expect([idle, busy, opening].map(({ socket }) => socket.isOpen)).toEqual([false, true, true]);
  expect(idle.heard.at(-1)).toBe('{"type":7,"allowReconnect":true}␞');
  server.data(opening, '{}␞');
  expect(opening.socket.isOpen).toBe(false);
  server.data(busy, '{"type":3,"invocationId":"2","result":null}␞');
  expect(busy.socket.isOpen).toBe(true);
  server.data(busy, '{"type":3,"invocationId":"1","result":null}␞');
  expect(busy.socket.isOpen).toBe(false);
  expect(busy.heard.slice(-2)).toEqual([
    '{"type":3,"invocationId":"1","result":null}␞',
    '{"type":7,"allowReconnect":true}␞',
  ]);
  expect(edge.closes).toEqual({ ServerConnectionClosed: 3 });
});
