import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RefusalKind } from './budget.ts';
import { Budget } from './budget.ts';

let refusals: RefusalKind[];
let evicted: string[];
let budget: Budget<string>;

beforeEach(() => {
  refusals = [];
  evicted = [];
  budget = build(100, 60);
});

function build(total: number, share: number): Budget<string> {
  return new Budget<string>(
    { total, share },
    { evict: (owner) => void evicted.push(owner), refused: (kind) => void refusals.push(kind) },
  );
}

describe('a share', () => {
  test('is what one owner gets, to the unit', () => {
    expect(budget.take('a', 60)).toBe(true);
    expect(budget.take('a', 1)).toBe(false);
    expect(refusals).toEqual(['share']);
    expect([budget.used, budget.heldBy('a')]).toEqual([60, 60]);
  });

  test('of one owner is not that of another', () => {
    budget.take('a', 60);
    expect(budget.take('b', 40)).toBe(true);
    expect(refusals).toEqual([]);
  });

  test('is there again once it has been given back', () => {
    budget.take('a', 60);
    budget.give('a', 10);
    expect(budget.take('a', 11)).toBe(false);
    expect(budget.take('a', 10)).toBe(true);
  });
});

describe('when the total is used up', () => {
  test('the largest owner pays, and who asks gets its part', () => {
    budget.take('large', 60);
    budget.take('small', 30);
    expect(budget.take('new', 20)).toBe(true);
    expect(evicted).toEqual(['large']);
    expect(refusals).toEqual(['evicted']);
    expect([budget.used, budget.heldBy('large'), budget.heldBy('small')]).toEqual([50, 0, 30]);
  });

  test('as many pay as it takes', () => {
    budget = build(100, 100);
    for (const owner of ['a', 'b', 'c', 'd', 'e', 'f']) budget.take(owner, 16);
    expect(budget.take('new', 8)).toBe(true);
    expect(evicted).toHaveLength(1);
    for (const owner of ['a', 'b', 'c', 'd', 'e', 'f']) budget.giveAll(owner);
    budget.giveAll('new');
    for (const owner of ['a', 'b', 'c', 'd', 'e', 'f']) budget.take(owner, 16);
    expect(budget.take('g', 4)).toBe(true);
    evicted = [];
    expect(budget.take('new', 15)).toBe(true);
    expect(evicted).toHaveLength(1);
  });

  test('the largest that is left pays, much smaller than those that gave back before', () => {
    budget = build(9, 9);
    budget.take('before', 9);
    budget.giveAll('before');
    for (const owner of ['a', 'b', 'c']) budget.take(owner, 3);
    expect(budget.take('new', 1)).toBe(true);
    expect(evicted).toEqual(['a']);
  });

  test('who asks is refused if it would hold as much as the largest', () => {
    budget.take('a', 50);
    budget.take('b', 50);
    expect(budget.take('c', 40)).toBe(false);
    expect(evicted).toEqual([]);
    expect(refusals).toEqual(['total']);
    expect(budget.used).toBe(100);
  });

  test('the largest that asks for more is refused itself', () => {
    budget.take('a', 55);
    budget.take('b', 30);
    budget.take('c', 15);
    expect(budget.take('a', 5)).toBe(false);
    expect(evicted).toEqual([]);
  });

  test('an owner that gives back by itself while it pays is counted once', () => {
    const strict: Budget<string> = new Budget<string>(
      { total: 100, share: 100 },
      { evict: (owner) => strict.give(owner, 90), refused: () => {} },
    );
    strict.take('large', 90);
    expect(strict.take('new', 20)).toBe(true);
    strict.give('large', 90);
    expect([strict.used, strict.owners]).toEqual([20, 1]);
  });

  test('an owner that gives back a part keeps the rest, if that is enough', () => {
    const lenient: Budget<string> = new Budget<string>(
      { total: 100, share: 100 },
      { evict: (owner) => lenient.give(owner, 10), refused: () => {} },
    );
    lenient.take('large', 95);
    expect(lenient.take('new', 20)).toBe(true);
    expect([lenient.heldBy('large'), lenient.heldBy('new')]).toEqual([75, 20]);
  });

  test('nothing is evicted for what is larger than all there is', () => {
    budget = build(100, 1000);
    budget.take('a', 10);
    expect(budget.take('b', 101)).toBe(false);
    expect(evicted).toEqual([]);
  });
});

test('owners that hold nothing are not kept', () => {
  for (let index = 0; index < 1000; index++) {
    budget.take(`owner ${index}`, 3);
    budget.give(`owner ${index}`, 3);
  }
  expect([budget.used, budget.owners]).toEqual([0, 0]);
});

test('whatever is asked and given: no share and no total is passed, and the sum is that of the parts', () => {
  const owner = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const step = fc.record({ owner, amount: fc.nat(80), gives: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      budget = build(100, 60);
      for (const { owner: who, amount, gives } of steps) {
        if (gives) budget.give(who, amount);
        else budget.take(who, amount);
        const parts = ['a', 'b', 'c', 'd', 'e'].map((name) => budget.heldBy(name));
        expect(budget.used).toBe(parts.reduce((sum, part) => sum + part, 0));
        expect(budget.used).toBeLessThanOrEqual(100);
        expect(Math.max(...parts)).toBeLessThanOrEqual(60);
        expect(budget.owners).toBe(parts.filter((part) => part > 0).length);
      }
    }),
  );
});
