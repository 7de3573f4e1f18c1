import { beforeEach, expect, test } from 'vitest';
import { Pools } from '../pools.ts';
import { Unfinished } from './unfinished.ts';

let given: string[];
let unfinished: Unfinished<string>;
let held: Map<string, number>;

beforeEach(() => {
  given = [];
  held = new Map();
  const pools = new Pools({ unfinished_from_clients: { share: 100, total: 250 } });
  unfinished = new Unfinished<string>('unfinished_from_clients', pools, (owner) => {
    given.push(owner);
    unfinished.forget(owner);
  });
});

/** The owner now holds so many bytes. */
function note(owner: string, bytes: number, tick: number): void {
  const before = held.get(owner) ?? 0;
  held.set(owner, bytes);
  unfinished.note(owner, before, bytes, tick);
}

test('an owner that goes on is left alone, however long its message takes', () => {
  for (let tick = 0; tick < 100; tick++) {
    note('slow', tick + 1, tick);
    unfinished.expire(tick, 0);
  }
  expect(given).toEqual([]);
});

test('an owner is asked before it holds much, and given up at once where there is no room', () => {
  note('first', 100, 0);
  note('second', 100, 0);
  expect(unfinished.mayHold('third', 50, 0)).toBe(true);
  note('third', 60, 0);
  expect(given).toEqual(['first']);
  expect(unfinished.mayHold('fourth', 100, 0)).toBe(false);
  expect(given).toEqual(['first', 'fourth']);
  expect(unfinished.mayHold('fifth', 90, 0)).toBe(true);
  unfinished.expire(30, 0);
  expect(given).toEqual(['first', 'fourth', 'second', 'third', 'fifth']);
});

test('an owner is given up after 30 s without progress', () => {
  note('stalled', 10, 0);
  note('ended', 10, 0);
  note('ended', 0, 5);
  unfinished.expire(29, 0);
  expect(given).toEqual([]);
  unfinished.expire(30, 0);
  expect(given).toEqual(['stalled']);
});

test('nobody is blamed for the time that the edge slept', () => {
  note('heard', 10, 0);
  unfinished.expire(100, 95);
  unfinished.expire(101, 0);
  expect(given).toEqual([]);
  unfinished.expire(125, 0);
  expect(given).toEqual(['heard']);
});

test('who holds more than its share is given up, and for the sum the largest', () => {
  note('greedy', 101, 0);
  expect(given).toEqual(['greedy']);
  note('a', 90, 0);
  note('b', 90, 0);
  note('c', 60, 0);
  note('new', 20, 0);
  expect(given).toEqual(['greedy', 'a']);
});

test('an owner that holds less than before leaves the rest to others', () => {
  note('a', 90, 0);
  note('a', 40, 0);
  for (const owner of ['b', 'c']) note(owner, 100, 0);
  expect(given).toEqual([]);
});

test('what is given back is there for others', () => {
  for (let n = 0; n < 1000; n++) {
    note(`owner ${n}`, 50, 0);
    note(`owner ${n}`, 20, 0);
    unfinished.forget(`owner ${n}`);
  }
  expect(given).toEqual([]);
});
