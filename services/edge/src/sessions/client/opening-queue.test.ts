import { expect, test } from 'vitest';
import type { OpeningBudget } from './opening-queue.ts';
import { HeldCopies, HeldMessage, OpeningQueue, whoPays } from './opening-queue.ts';

const KB = 1024;
const MB = 1024 * KB;
const ENTRY = 16;

/** A client's queue, as those see it who look for the largest. */
class Holder {
  readonly queue: OpeningQueue;
  constructor(budget: OpeningBudget) {
    this.queue = new OpeningQueue(budget);
  }
  get heldShare(): number {
    return this.queue.share;
  }
}

const paid = (holders: readonly Holder[], budget: OpeningBudget): number[] => {
  const who: number[] = [];
  for (const holder of whoPays(holders, budget)) {
    who.push(holders.indexOf(holder));
    holder.queue.clear();
  }
  return who;
};

test('gives out copies of what it was given, in order and as one', () => {
  const queue = new OpeningQueue({ heldBytes: 0 });
  const lent = Buffer.from('first ');
  queue.add(new HeldMessage(lent));
  lent.fill(0);
  queue.add(new HeldMessage(Buffer.from('second')));
  expect(queue.count).toBe(2);
  expect(Buffer.from(queue.take()).toString()).toBe('first second');
  expect(queue.count).toBe(0);
});

test('holds 1 MB for a client, places for messages included', () => {
  const queue = new OpeningQueue({ heldBytes: 0 });
  expect(queue.add(new HeldMessage(Buffer.alloc(MB)))).toBe(false);
  expect(queue.add(new HeldMessage(Buffer.alloc(MB - 2 * ENTRY)))).toBe(true);
  expect(queue.add(new HeldMessage(Buffer.alloc(1)))).toBe(false);
  expect(queue.add(new HeldMessage(Buffer.alloc(0)))).toBe(true);
  expect(queue.add(new HeldMessage(Buffer.alloc(0)))).toBe(false);
});

test('one send is one copy for each payload, counted once until nobody holds it', () => {
  const budget = { heldBytes: 0 };
  const [json, messagepack] = [Buffer.alloc(1000), Buffer.alloc(500)];
  const copies = new HeldCopies();
  expect(copies.of(json)).toBe(copies.of(json));
  const queues = Array.from({ length: 4 }, () => new OpeningQueue(budget));
  queues.forEach((queue, index) => queue.add(copies.of(index % 2 === 0 ? json : messagepack)));
  expect(budget.heldBytes).toBe(1500 + 4 * ENTRY);
  expect(queues.map((queue) => queue.share)).toEqual([516, 266, 516, 266]);
  queues[0]!.take();
  queues[1]!.clear();
  expect(budget.heldBytes).toBe(1500 + 2 * ENTRY);
  expect(queues[2]!.share).toBe(1016);
  queues[2]!.clear();
  queues[3]!.take();
  expect(budget.heldBytes).toBe(0);
});

test('over 256 MiB in all the largest go, until an eighth is free again', () => {
  const budget = { heldBytes: 0 };
  const holders = Array.from({ length: 512 }, () => new Holder(budget));
  const fill = (holder: Holder, bytes: number): boolean =>
    holder.queue.add(new HeldMessage(Buffer.alloc(bytes - ENTRY)));
  holders.forEach((holder, index) => fill(holder, index < 10 ? 800 * KB : 400 * KB));
  expect(paid(holders, budget)).toEqual([]);
  for (const holder of holders.slice(10, 150)) fill(holder, 399 * KB);
  expect(budget.heldBytes).toBeGreaterThan(256 * MB);
  const who = paid(holders, budget);
  expect(who.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(Math.max(...who)).toBeLessThan(150);
  expect(budget.heldBytes).toBeLessThanOrEqual(224 * MB);
  expect(budget.heldBytes).toBeGreaterThan(223 * MB);
});

test('who holds much together with many others is not the largest', () => {
  const budget = { heldBytes: 0 };
  const crowd = Array.from({ length: 1000 }, () => new Holder(budget));
  const shared = new HeldMessage(Buffer.alloc(1000 * KB));
  for (const holder of crowd) holder.queue.add(shared);
  const few = Array.from({ length: 320 }, () => new Holder(budget));
  for (const holder of few) holder.queue.add(new HeldMessage(Buffer.alloc(840 * KB)));
  const who = paid([...crowd, ...few], budget);
  expect(who.length).toBeGreaterThan(40);
  expect(Math.min(...who)).toBeGreaterThanOrEqual(crowd.length);
});

test('5,000 clients may come at once while the app tells everybody of each', () => {
  const budget = { heldBytes: 0 };
  const last = new Holder(budget);
  for (let n = 0; n < 5_000; n++) last.queue.add(new HeldMessage(Buffer.alloc(120)));
  expect(last.queue.count).toBe(5_000);
  // The others have a place for each of those before them, and share the messages.
  budget.heldBytes += ((4_999 * 5_000) / 2) * ENTRY;
  expect(paid([last], budget)).toEqual([]);
});
