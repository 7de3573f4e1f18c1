import type { Budget } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { Pools } from '../../pools.ts';
import { readable, wire } from '../fixtures.test-support.ts';
import { MovingQueue } from './moving-queue.ts';

const KB = 1024;

let pool: Budget<string>;
let evicted: string[];

beforeEach(() => {
  evicted = [];
  pool = new Pools().open('moving_clients', (client) => void evicted.push(client));
});

const holder = (binary = false, client = 'ann'): MovingQueue<string> =>
  new MovingQueue(binary, client, pool);

function holding(held: MovingQueue<string>, binary = false, stopAfter = Infinity) {
  const passed: string[] = [];
  return {
    passed,
    sift: (...texts: string[]): boolean =>
      held.sift(wire(texts.join('')), (record) => passed.push(readable(record)) < stopAfter),
    released: (): [string, number][] => {
      const out: [string, number][] = [];
      held.release((bytes, count) => out.push([readable(bytes), count]));
      return out;
    },
    binary,
  };
}

const call = (id: string, ...streamIds: string[]): string =>
  `${JSON.stringify({ type: 1, invocationId: id, target: 'a', arguments: [], streamIds })}␞`;
const SEND = '{"type":1,"target":"a","arguments":[]}␞';
const STREAM = '{"type":4,"invocationId":"s","target":"a","arguments":[]}␞';
const item = (id: string): string => `{"type":2,"invocationId":"${id}","item":1}␞`;
const done = (id: string): string => `{"type":3,"invocationId":"${id}","result":1}␞`;
const cancel = (id: string): string => `{"type":5,"invocationId":"${id}"}␞`;

describe('sifting', () => {
  test('calls are held, with their uploads and cancellations; all else passes, in order', () => {
    const held = holder();
    const { sift, passed, released } = holding(held);
    expect(sift(item('1'), call('5', '6'), item('6'), done('conn-1'))).toBe(true);
    expect(sift('{"type":6}␞', SEND, STREAM, cancel('s'), cancel('4'), done('6'), item('2'))).toBe(
      true,
    );
    expect(passed).toEqual([item('1'), done('conn-1'), '{"type":6}␞', cancel('4'), item('2')]);
    expect(held.calls).toBe(2);
    expect(['5', 's', '4', '1'].map((id) => held.hasCall(id))).toEqual([true, true, false, false]);
    expect(released()).toEqual([
      [call('5', '6') + item('6') + SEND + STREAM + cancel('s') + done('6'), 6],
    ]);
  });

  test('ends at a call that there is no room for', () => {
    pool = new Pools({ moving_clients: { share: 100, total: 100 } }).open(
      'moving_clients',
      () => {},
    );
    const { sift, passed, released } = holding(holder());
    expect(sift(call('5'), item('1'), call('6'), item('2'))).toBe(false);
    expect(passed).toEqual([item('1')]);
    expect(released()).toEqual([[call('5'), 1]]);
  });

  test('in MessagePack too', () => {
    const held = holder(true);
    const records = [
      '960180a135a1619091a136', // [1, {}, '5', 'a', [], ['6']]
      '940280a136a178', // [2, {}, '6', 'x']
      '940280a131a178', // [2, {}, '1', 'x']
      '940380a13602', // [3, {}, '6', 2]
      '9106', // [6]
    ].map((hex) => Buffer.from([hex.length / 2, ...Buffer.from(hex, 'hex')]));
    const passed: string[] = [];
    held.sift(Buffer.concat(records), (record) => passed.push(readable(record)) > 0);
    expect(passed).toEqual([records[2]!, records[4]!].map(readable));
    const released: string[] = [];
    held.release((bytes) => released.push(readable(bytes)));
    expect(released).toEqual([[records[0]!, records[1]!, records[3]!].map(readable).join('')]);
  });

  test('ends when nobody takes what passes any more', () => {
    const held = holder();
    expect(holding(held, false, 1).sift(item('1'), call('5'))).toBe(true);
    expect(pool.used).toBe(0);
  });
});

describe('holding', () => {
  test('keeps a copy, hands it over once, and gives its bytes back', () => {
    pool.take('bob', 7);
    const held = holder();
    const lent = wire('one␞two␞');
    held.hold(lent, 2);
    held.hold(wire('three␞'), 1);
    lent.fill(0);
    expect(pool.used).toBe(7 + 14);
    const { released } = holding(held);
    expect(released()).toEqual([['one␞two␞three␞', 3]]);
    expect(pool.used).toBe(7);
    expect(released()).toEqual([]);
  });

  test('takes 256 KiB of one client', () => {
    const held = holder();
    expect(held.hold(Buffer.alloc(200 * KB), 1)).toBe(true);
    expect(held.hold(Buffer.alloc(56 * KB + 1), 1)).toBe(false);
    expect(held.hold(Buffer.alloc(56 * KB), 1)).toBe(true);
    expect(pool.used).toBe(256 * KB);
  });

  test('takes 64 MiB of all clients, then those with most of them pay', () => {
    for (let n = 0; n < 255; n++) pool.take(`client ${n}`, 256 * KB);
    pool.take('bob', 256 * KB - 10);
    const held = holder();
    expect(held.hold(Buffer.alloc(10), 1)).toBe(true);
    expect([pool.used, evicted]).toEqual([64 * KB * KB, []]);
    expect(held.hold(Buffer.alloc(1), 1)).toBe(true);
    expect(evicted).toEqual(['client 0']);
    holding(held).released();
    expect(pool.used).toBe(64 * KB * KB - 256 * KB - 10);
  });

  test('a client with as much as any other is refused instead', () => {
    for (let n = 0; n < 255; n++) pool.take(`client ${n}`, 256 * KB);
    const held = holder();
    expect(held.hold(Buffer.alloc(200 * KB), 1)).toBe(true);
    pool.take('bob', 56 * KB);
    expect(held.hold(Buffer.alloc(56 * KB), 1)).toBe(false);
    expect(evicted).toEqual([]);
  });
});
