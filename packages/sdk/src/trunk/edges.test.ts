import { MessageType } from '@trunkline/protocol';
import { expect, test } from 'vitest';

import type { FakeServerConnection, FakeService } from '../fake-service.test-support.ts';
import { until } from '../fake-service.test-support.ts';
import { fakeService, passing, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';

class Chat extends Hub {
  hello(): string {
    return 'hello';
  }
}

const urlOf = ({ port }: FakeService): string => `http://127.0.0.1:${port}`;

/** The broadcasts that it has heard, as text. */
const said = (trunk: FakeServerConnection): string =>
  trunk
    .ofType(MessageType.BroadcastData)
    .map(({ payloads }) => Buffer.from(payloads.get('json') ?? []).toString())
    .join('\n');

const pings = (trunk: FakeServerConnection) =>
  trunk.ofType(MessageType.Ping).map(({ entries }) => entries);

/** Has the edge answer what it is asked; resolves when the server has read that. */
async function answer(trunk: FakeServerConnection, entries: readonly string[]): Promise<void> {
  await until(() => pings(trunk).some(([key]) => key === 'edges'), 'the question');
  const echo = ['echo', `read ${trunk.received.length}`];
  const type = MessageType.Ping;
  trunk.send({ type, entries: ['edges', ...entries] }, { type, entries: echo });
  await until(() => pings(trunk).some(([, mark]) => mark === echo[1]), 'its word that it has read');
}

/** An app server at edge `a`, which has told it of edge `b`, and of its URL unless a load balancer leads there. */
async function serveAtTwo(ownUrls: boolean) {
  const clock = new ManualClock();
  const b = await fakeService();
  const { service: a, trunk, ...world } = await serve(Chat, { clock });
  const urls = ownUrls ? ['edge', `${urlOf(a)} a`, 'edge', `${urlOf(b)} b`] : [];
  const told = ['others', '1', ...urls];
  await answer(trunk, ['a', ...told]);
  clock.advance(1000);
  clock.advance(1000);
  return { ...world, clock, a, b, trunk, told };
}

test('a second edge gets a connection at its own URL, and that is enough when the first is lost', async () => {
  const { server, hub, clock, a, b, told } = await serveAtTwo(true);
  const trunk = await until(() => b.live[0], 'the connection to b');
  expect(trunk.url.pathname).toBe('/server/');
  expect(trunk.url.searchParams.get('hub')).toBe('chat');
  expect(trunk.ofType(MessageType.HandshakeRequest)[0]!.connectionType).toBe(0);
  expect(b.requests[0]!.headers['x-trunkline-elsewhere']).toBeUndefined();
  await answer(trunk, ['b', ...told]);
  const client = trunk.open();
  await client.text(0);

  await a.stop();
  await until(() => server.health.hubs[0]!.endpoints[0]!.serverConnections === 1, 'the loss of a');
  client.call('hello');
  expect(await client.text(1)).toContain('"hello"');
  await hub.clients.all.send('m');
  await trunk.next(MessageType.BroadcastData);
  expect(server.health.status).toBe('up');

  const stopped = passing(clock, server.stop());
  await until(() => pings(trunk).some(([, value]) => value === 'fin:1'), 'its goodbye');
  client.close();
  await stopped;
});

test('what was asked at an edge that is lost fails 30 s later, whatever other edges there are', async () => {
  const { server, hub, clock, a, b, trunk: atA, told } = await serveAtTwo(true);
  const trunk = await until(() => b.live[0], 'the connection to b');
  await answer(trunk, ['b', ...told]);
  const asked = hub.clients.client('far').invoke({ timeout: Infinity }).send('m');
  const outcome = asked.catch((error: unknown) => error);
  await atA.next(MessageType.ClientInvocation);
  await a.stop();
  await until(() => server.health.hubs[0]!.endpoints[0]!.serverConnections === 1, 'the loss of a');
  await until(() => clock.pending.includes(30_000), 'the wait');
  clock.advance(30_000);
  expect(await outcome).toMatchObject({ code: 'unavailable' });
});

test('through a load balancer another edge is dialled, which says whether it is one', async () => {
  const { a, b, clock, trunk, told } = await serveAtTwo(false);
  const request = await until(() => a.requests[1], 'the next connection');
  expect(request.headers['x-trunkline-elsewhere']).toBe('a');
  const other = await until(() => a.live.find((one) => one !== trunk), 'the connection');
  await answer(other, ['b', ...told]);
  for (let second = 0; second < 10; second++) clock.advance(1000);
  await answer(trunk, ['a', ...told]);
  expect([a.requests.length, b.requests.length]).toEqual([2, 0]);
});

test('an edge that others take for gone gets nothing that another can do, until they have it back', async () => {
  const { hub, a, trunk, told } = await serveAtTwo(false);
  const other = await until(() => a.live.find((one) => one !== trunk), 'the connection');
  const both = [...told, 'member', 'a', 'member', 'b'];
  await answer(trunk, ['a', ...both]);
  await answer(other, ['b', ...both]);
  const takerOf = async (text: string): Promise<string> => {
    await hub.clients.all.send(text);
    const hears = (one: FakeServerConnection) => said(one).includes(text);
    const taker = await until(() => [trunk, other].find(hears), `who hears ${text}`);
    return taker === trunk ? 'a' : 'b';
  };
  expect(await takerOf('first')).toBe('a');
  await answer(other, ['b', 'others', '0', 'member', 'b']);
  expect(await takerOf('second')).toBe('b');
  // Each takes the other for gone: then it is as it was.
  await answer(trunk, ['a', 'others', '0', 'member', 'a']);
  expect(await takerOf('third')).toBe('a');
  await answer(trunk, ['a', ...both]);
  expect(await takerOf('fourth')).toBe('b');
  await answer(other, ['b', ...both]);
  expect(await takerOf('fifth')).toBe('a');
});

test('a URL that nothing can be dialled at is told to the log', async () => {
  const clock = new ManualClock();
  const { trunk, log } = await serve(Chat, { clock });
  await answer(trunk, ['a', 'others', '1', 'edge', 'http://127.0.0.1/#b b']);
  clock.advance(1000);
  clock.advance(1000);
  const at = "hub 'chat' at endpoint";
  await until(() => log.lines.some((line) => line.startsWith(at)), 'a line of the log');
  expect(log.lines[0]).toContain('does not reach an edge at http://127.0.0.1/#b: ');
  expect(trunk.ready).toBe(true);
});

test('no edge is asked for others where that is switched off', async () => {
  const { trunk } = await serve(Chat, { server: { spreadOverEdges: false } });
  trunk.send({ type: MessageType.Ping, entries: ['echo', ''] });
  await until(() => pings(trunk).length > 0, 'the echo');
  expect(pings(trunk)).toEqual([['echo', '']]);
});
