import { MessageType } from '@trunkline/protocol';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';

import { until } from './fake-service.test-support.ts';
import type { FakeServerConnection } from './fake-service.test-support.ts';
import { atEnd, fakeService, Log } from './harness.test-support.ts';
import { Hub } from './hubs/hub.ts';
import { createServer } from './server.ts';
import type { Server } from './server.ts';

interface Page {
  said(text: string): void;
}

class Chat extends Hub<Page> {
  hello(): string {
    return 'hello';
  }
}

/** What a module makes each time that it is loaded. */
function make(connectionString: string, reuse?: string) {
  const server = createServer({ connectionString, connectionCount: 2, reuse, logger: new Log() });
  const chat = server.hub('/chat', Chat);
  atEnd(() => server.stop({ timeout: 0 }));
  return { server, chat, negotiate: server.web() };
}

const load = (connectionString: string, reuse?: string): Server =>
  make(connectionString, reuse).server;

const broadcasts = (connections: readonly FakeServerConnection[]): number =>
  connections.flatMap((one) => one.ofType(MessageType.BroadcastData)).length;

const post = () => new Request('http://app/chat/negotiate', { method: 'POST' });

test('a server made again replaces the one before, once it is connected itself', async () => {
  const service = await fakeService();
  const first = load(service.connectionString, 'app');
  await first.start();
  await until(() => service.live.length === 2, 'the connections of the first');
  const client = service.live[0]!.open();
  await client.text(0);
  const second = load(service.connectionString, 'app');
  await second.start();
  const [old] = service.connections;
  await until(
    () => old!.ofType(MessageType.Ping).some(({ entries }) => entries[1] === 'fin:1'),
    'fin',
  );
  expect(first.health).toEqual(second.health);
  client.call('hello');
  expect(await client.text(1)).toContain('hello');
  client.close(new Map([['Asrs-Migrate-To', ['other']]]));
  await until(() => service.live.length === 2 && service.connections.length === 4, 'the new two');
  await until(() => old!.closeCode === 1000, 'the end of the old ones');
  expect(second.health.status).toBe('up');
});

test('one that is not connected yet gives way at once, and its start goes on as its successor', async () => {
  const service = await fakeService();
  service.handshakeError = undefined;
  const first = load(service.connectionString, 'waiting');
  const started = first.start();
  await until(() => service.connections.length === 2, 'two that wait');
  service.handshakeError = '';
  await load(service.connectionString, 'waiting').start();
  await started;
  expect(first.health.status).toBe('up');
  await until(() => service.live.length === 2, 'the new two');
});

test('other names, and none, replace nothing', async () => {
  const service = await fakeService();
  for (const name of ['one', 'two', undefined, undefined]) {
    await load(service.connectionString, name).start();
  }
  await until(() => service.live.length === 8, 'all of them');
  expect(service.connections).toHaveLength(8);
});

test('a stopped server is not replaced any more', async () => {
  const service = await fakeService();
  const first = load(service.connectionString, 'stopped');
  await first.start();
  await first.stop({ timeout: 0 });
  const second = load(service.connectionString, 'stopped');
  await second.start();
  expect(second.health.status).toBe('up');
  await until(() => service.live.length === 2, 'the new two');
});

test('those that were not started hand on what they are asked to the one that was', async () => {
  const service = await fakeService();
  const early = make(service.connectionString, 'copies');
  expect((await early.negotiate(post())).status).toBe(503);
  const started = make(service.connectionString, 'copies');
  await started.server.start();
  const late = make(service.connectionString, 'copies');
  const connections = () => started.server.health.hubs[0]!.endpoints[0]!.serverConnections;
  await until(() => connections() === 2, 'two connections');
  const registry = new Registry();
  late.server.metrics(registry);
  expect(await registry.metrics()).toMatch(/^trunkline_sdk_server_connections\{hub="chat".*\} 2$/m);
  for (const { server, chat, negotiate } of [early, late]) {
    expect((await negotiate(post())).status).toBe(200);
    expect(server.health).toEqual(started.server.health);
    await chat.clients.all.said('hello');
    expect(await chat.connectionExists('ada')).toBe(true);
  }
  await until(() => broadcasts(service.live) === 2, 'both sends');
  expect(service.connections).toHaveLength(2);
});

test('until a server made again is connected, the one before answers for it', async () => {
  const service = await fakeService();
  const first = make(service.connectionString, 'gap');
  await first.server.start();
  service.handshakeError = undefined;
  const second = make(service.connectionString, 'gap');
  const started = second.server.start();
  await until(() => service.connections.length === 4, 'two that wait');
  for (const { negotiate, chat } of [first, second]) {
    expect((await negotiate(post())).status).toBe(200);
    await chat.clients.all.said('hello');
  }
  const [old, waiting] = [service.connections.slice(0, 2), service.connections.slice(2)];
  await until(() => broadcasts(old) === 2, 'sends by the one before');
  const type = MessageType.HandshakeResponse;
  for (const one of waiting) one.send({ type, errorMessage: '', connectionId: 'x' });
  await started;
  await first.chat.clients.all.said('hello');
  await until(() => broadcasts(waiting) === 1, 'a send by the new one');
});

test('start() called again waits for the same, and a stopped server does not start', async () => {
  const service = await fakeService();
  const server = load(service.connectionString);
  await Promise.all([server.start(), server.start()]);
  await server.start();
  await until(() => service.live.length === 2, 'two connections');
  expect(service.connections).toHaveLength(2);
  await server.stop({ timeout: 0 });
  await expect(server.start()).rejects.toThrow('a stopped server does not start again');
});
