import { expect, onTestFinished, test } from 'vitest';
import { Bodies, bodiesOfClients } from '../bodies.ts';
import { Pools } from '../pools.ts';
import type { Exchange } from '../ports/exchange.ts';
import type { Doors, HttpRequest, Post } from '../ports/listener.ts';
import { listen } from './uws-listener.ts';

const MB = 1024 * 1024;

/** A public port at which posts are taken and nobody else is let in; answers its URL. */
async function publicPort(refusals: { add(reason: string): void }): Promise<string> {
  const counters = { openSockets: 0, refusals };
  const pools = new Pools();
  const settings = {
    host: '127.0.0.1',
    port: 0,
    sharesPort: false,
    tls: undefined,
    allowedOrigins: ['*'],
    maxBatchBytes: MB,
    clientQueueBytes: MB,
    openSockets: 100,
    spareSockets: 10,
    turnedAway() {},
    counters,
    pools,
    bodies: new Bodies(bodiesOfClients(MB), counters, pools),
  };
  const post = (_request: HttpRequest, exchange: Exchange): Post => ({
    client: 'a client',
    owner: 'ann',
    take: () => exchange.answer({ status: 200 }),
  });
  const doors = { send: post, rest: post } as Partial<Doors> as Doors;
  const listener = await listen(settings, doors);
  onTestFinished(() => listener.close());
  return `http://127.0.0.1:${listener.port}`;
}

test('a body that is too long is counted as refused of clients, and by REST calls themselves', async () => {
  const counted: string[] = [];
  const url = await publicPort({ add: (reason) => void counted.push(reason) });
  const statusOf = async (path: string, bytes: number): Promise<number> =>
    (await fetch(url + path, { method: 'POST', body: Buffer.alloc(bytes) })).status;
  expect(await statusOf('/api/v1/hubs/chat', MB)).toBe(200);
  expect(await statusOf('/api/v1/hubs/chat', MB + 1)).toBe(413);
  expect(counted).toEqual([]);
  expect(await statusOf('/client/', MB + 1)).toBe(413);
  expect(counted).toEqual(['request_bytes']);
});
