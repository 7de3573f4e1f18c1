import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { RedisAddress } from './bus-address.ts';
import { RedisLine } from './redis-line.ts';

/** A connection by TLS to a server that speaks none, in which every handshake fails. */
async function failing(): Promise<{ line: RedisLine; failed: string[] }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('-ERR this is no TLS\r\n');
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
  await vi.waitFor(() => expect(failed.length).toBeGreaterThan(0));
  return { line, failed };
}

test('a connection may fail by more than one error', async () => {
  const { line, failed } = await failing();
  const { stream } = line.redis;
  expect(failed[0]).toMatch(/ssl|tls/i);
  stream.emit('error', new Error('and another one'));
  await line.close();
});

test('a connection that fails while it is closed is closed', async () => {
  const { line } = await failing();
  await vi.waitFor(() => expect(line.redis.status).toBe('connecting'));
  const closed = line.close();
  line.redis.stream?.emit('error', new Error('too late'));
  await closed;
});
