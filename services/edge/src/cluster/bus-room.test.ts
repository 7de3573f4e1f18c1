import { expect, test } from 'vitest';
import { BusRoom } from './bus-room.ts';

const MIB = 1024 * 1024;

test('a hub that says very much waits while the bus has much to do, and others go on', () => {
  const bus = { waiting: 0 };
  const room = new BusRoom(() => bus.waiting);
  room.said('loud', 100 * MIB);
  bus.waiting = 4 * MIB - 1;
  expect(room.isFor('loud')).toBe(true);

  bus.waiting = 4 * MIB;
  room.said('loud', MIB / 4 - 1);
  room.said('quiet', 100);
  expect([room.isFor('loud'), room.isFor('quiet'), room.isFor('new')]).toEqual([true, true, true]);
  room.said('loud', 1);
  expect([room.isFor('loud'), room.isFor('quiet'), room.isFor('new')]).toEqual([false, true, true]);

  bus.waiting = 8 * MIB;
  expect([room.isFor('loud'), room.isFor('quiet')]).toEqual([false, false]);
  bus.waiting = 4 * MIB;
  expect([room.isFor('loud'), room.isFor('quiet')]).toEqual([false, true]);
});

test('what a hub has said counts no more once the bus had little to do', () => {
  const bus = { waiting: 4 * MIB };
  const room = new BusRoom(() => bus.waiting);
  room.said('loud', MIB);
  expect(room.isFor('loud')).toBe(false);
  bus.waiting--;
  expect(room.isFor('loud')).toBe(true);
  room.said('another', 1);
  bus.waiting++;
  expect(room.isFor('loud')).toBe(true);
});
