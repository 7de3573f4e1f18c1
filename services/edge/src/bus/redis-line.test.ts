import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { RedisAddress } from './bus-address.ts';
import { RedisLine } from './redis-line.ts';

/** A connection by TLS to a server that speaks none: it says so, or says nothing at all. */
async function connect(
  greeting: string | undefined,
): Promise<{ line: RedisLine; failed: string[] }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (greeting !== undefined) socket.end(greeting);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const failed: string[] = [];
  const address: RedisAddress = {
    kind: 'redis',
    host: '127.0.0.1',
    port,
    user: undefined,
    password: undefined,
    shown: 'the server',
    tls: true,
    ca: undefined,
  };
  const line = new RedisLine(address, 'a', {
    ready: () => {},
    lost: () => {},
    failed: (why) => failed.push(why),
  });
  return { line, failed };
}

test('a connection may fail by more than one error', async () => {
  const { line, failed } = await connect('-ERR this is no TLS\r\n');
  await expect.poll(() => failed[0]).toMatch(/ssl|tls/i);
  const { stream } = line.redis;
  stream.emit('error', new Error('and another one'));
  await line.close();
});

test('a connection that fails while it is closed is closed', async () => {
  const { line } = await connect(undefined);
  await expect.poll(() => line.redis.stream).toBeDefined();
  const closed = line.close();
  line.redis.stream.emit('error', new Error('too late'));
  await closed;
});
