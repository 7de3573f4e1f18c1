import type { SharedBudget } from '@trunkline/protocol';
import { beforeEach, expect, test } from 'vitest';
import { Pools } from '../../pools.ts';
import { counted } from '../fixtures.test-support.ts';
import { HeldMessage, HeldSend, OpeningQueue } from './opening-queue.ts';

const KB = 1024;
const MB = 1024 * KB;
const ENTRY = 16;

let pools: Pools;
let pool: SharedBudget<Client>;
let evicted: Client[];

/** A client's queue, as those see it who send, and who look for the largest. */
class Client {
  readonly queue = new OpeningQueue(pool);

  hold(message: HeldMessage): boolean {
    return this.queue.add(message);
  }
}

beforeEach(() => {
  pools = new Pools();
  evicted = [];
  pool = pools.openShared('opening_clients', (client: Client) => {
    evicted.push(client);
    client.queue.clear();
  });
});

const crowd = (count: number): Client[] => Array.from({ length: count }, () => new Client());

/** One send of so many bytes to all of these; answers who had no room. */
function send(bytes: number, clients: readonly Client[]): Client[] {
  const send = new HeldSend<Client>();
  const payload = Buffer.alloc(bytes);
  for (const client of clients) send.add(client, payload);
  return send.hold();
}

function paid(clients: readonly Client[]): number[] {
  evicted = [];
  pool.settle(clients, ({ queue }) => queue.part);
  return evicted.map((client) => clients.indexOf(client));
}

test('gives out copies of what it was given, in order and as one', () => {
  const { queue } = new Client();
  const lent = Buffer.from('first ');
  queue.add(new HeldMessage(lent, 1));
  lent.fill(0);
  queue.add(new HeldMessage(Buffer.from('second'), 1));
  expect(queue.count).toBe(2);
  expect(Buffer.from(queue.take()).toString()).toBe('first second');
  expect(queue.count).toBe(0);
});

test('holds 1 MB for a client, places for messages included, whoever shares them', () => {
  const [client, other] = crowd(2) as [Client, Client];
  expect(send(MB, [client])).toEqual([client]);
  expect(send(MB - 2 * ENTRY, [client, other])).toEqual([]);
  expect(send(1, [client])).toEqual([client]);
  expect(send(0, [client, other])).toEqual([]);
  expect(send(0, [client])).toEqual([client]);
  expect(counted(pools.refusals)).toEqual({ 'opening_clients|share': 3 });
});

test('one send is one copy for each payload, counted once until nobody holds it', () => {
  const [json, messagepack] = [Buffer.alloc(1000), Buffer.alloc(500)];
  const clients = crowd(4);
  const [first, second, third, fourth] = clients.map(({ queue }) => queue);
  const send = new HeldSend<Client>();
  clients.forEach((client, index) => send.add(client, index % 2 === 0 ? json : messagepack));
  send.hold();
  expect(pool.used).toBe(1500 + 4 * ENTRY);
  expect(clients.map(({ queue }) => queue.part)).toEqual([516, 266, 516, 266]);
  first!.take();
  second!.clear();
  expect(pool.used).toBe(1500 + 2 * ENTRY);
  expect(clients.map(({ queue }) => queue.part)).toEqual([0, 0, 516, 266]);
  third!.clear();
  fourth!.take();
  expect(pool.used).toBe(0);
});

test('over 256 MiB in all the largest go, until an eighth is free again', () => {
  const clients = crowd(512);
  clients.forEach((client, index) => send((index < 10 ? 800 : 400) * KB - ENTRY, [client]));
  expect(paid(clients)).toEqual([]);
  for (const client of clients.slice(10, 150)) send(399 * KB - ENTRY, [client]);
  expect(pool.used).toBeGreaterThan(256 * MB);
  const who = paid(clients);
  expect(who.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(Math.max(...who)).toBeLessThan(150);
  expect(pool.used).toBeLessThanOrEqual(224 * MB);
  expect(pool.used).toBeGreaterThan(223 * MB);
  expect(counted(pools.refusals)).toEqual({ 'opening_clients|evicted': who.length });
});

test('who holds much together with many others is not the largest', () => {
  const many = crowd(1000);
  send(1000 * KB, many);
  const few = crowd(320);
  for (const client of few) send(840 * KB, [client]);
  const who = paid([...many, ...few]);
  expect(who.length).toBeGreaterThan(40);
  expect(Math.min(...who)).toBeGreaterThanOrEqual(many.length);
});

test('5,000 clients may come at once while the app tells everybody of each', () => {
  const last = new Client();
  for (let n = 0; n < 5_000; n++) send(120, [last]);
  expect(last.queue.count).toBe(5_000);
  // The others have a place for each of those before them, and share the messages.
  pool.add(((4_999 * 5_000) / 2) * ENTRY);
  expect(paid([last])).toEqual([]);
});
