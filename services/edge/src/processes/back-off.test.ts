import { expect, test } from 'vitest';
import { BackOff } from './back-off.ts';

const MINUTE = 60_000;

test('a process that ends at once is waited for twice as long each time, 10 s at most', () => {
  const backOff = new BackOff();
  const waits = Array.from({ length: 9 }, () => backOff.after(5));
  expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
});

test('one that was well for a minute is started again at once, and counted from there', () => {
  const backOff = new BackOff();
  for (let end = 0; end < 9; end++) backOff.after(5);
  expect(backOff.after(MINUTE - 1)).toBe(10_000);
  expect(backOff.after(MINUTE)).toBe(100);
  expect(backOff.after(5)).toBe(200);
});
