import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { RedisEngine } from './redis-bus.ts';

/** A server that says yes to everything, and knows which connection has subscribed to something. */
class YesServer {
  readonly server: Server;
  readonly publishers = new Set<Socket>();
  readonly subscribers = new Set<Socket>();

  constructor() {
    this.server = createServer((socket) => {
      this.publishers.add(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => this.#answer(socket, bytes.toString('latin1')));
    });
    this.server.listen(0, '127.0.0.1');
    onTestFinished(() => void this.server.close());
  }

  /** Commands are arrays of texts: `*<count>`, then `$<length>` and the text for each. */
  #answer(socket: Socket, commands: string): void {
    for (const [, name = ''] of commands.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
      const subscribes = name.toLowerCase() === 'subscribe';
      socket.write(subscribes ? '*3\r\n+subscribe\r\n+c\r\n:1\r\n' : '+OK\r\n');
      if (!subscribes) continue;
      this.publishers.delete(socket);
      this.subscribers.add(socket);
    }
  }
}

test('the connection that hears is lost for itself, also while the one that speaks is away', async () => {
  const yes = new YesServer();
  await once(yes.server, 'listening');
  const { port } = yes.server.address() as AddressInfo;
  const heard: string[] = [];
  const engine = new RedisEngine(
    {
      kind: 'redis',
      host: '127.0.0.1',
      port,
      user: undefined,
      password: undefined,
      shown: 'the server',
      tls: false,
      ca: undefined,
    },
    'a',
    {
      connected: () => void heard.push('connected'),
      lost: () => void heard.push('lost'),
      failed: () => {},
      received: () => {},
      unheard: () => {},
      taken: () => {},
    },
  );
  onTestFinished(() => engine.close());
  engine.subscribe(['c']);
  await expect.poll(() => [heard, yes.subscribers.size]).toEqual([['connected'], 1]);
  // From now on nobody connects again.
  yes.server.close();
  for (const socket of yes.publishers) socket.destroy();
  await expect.poll(() => heard).toEqual(['connected', 'lost']);
  for (const socket of yes.subscribers) socket.destroy();
  await expect.poll(() => heard).toEqual(['connected', 'lost', 'lost']);
});
