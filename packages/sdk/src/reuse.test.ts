import { MessageType } from '@trunkline/protocol';
import { expect, test } from 'vitest';

import { until } from './fake-service.test-support.ts';
import { atEnd, fakeService, Log } from './harness.test-support.ts';
import { Hub } from './hubs/hub.ts';
import { createServer } from './server.ts';
import type { Server } from './server.ts';

class Chat extends Hub {
  hello(): string {
    return 'hello';
  }
}

/** A server as a module makes it each time that it is loaded. */
function load(connectionString: string, reuse?: string): Server {
  const server = createServer({ connectionString, connectionCount: 2, reuse, logger: new Log() });
  server.hub('/chat', Chat);
  atEnd(() => server.stop({ timeout: 0 }));
  return server;
}

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
  expect(first.health.status).toBe('stopped');
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
  expect(first.health.status).toBe('stopped');
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
