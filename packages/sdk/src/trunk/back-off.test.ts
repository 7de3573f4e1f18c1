import { expect, test } from 'vitest';

import { ManualClock } from '../manual-clock.test-support.ts';
import { BackOff } from './back-off.ts';

const turn = () => new Promise(setImmediate);

test('tries at once, then after 1, 2, 4, 8, 16, 32, 60, 60 s and jitter', async () => {
  const clock = new ManualClock();
  const backOff = new BackOff(clock, () => 0.5);
  const started = clock.now();
  const tries: number[] = [];
  void backOff.retry(async () => {
    tries.push(clock.now() - started);
    return false;
  });
  while (tries.length < 9) {
    await turn();
    clock.advance(clock.pending[0] ?? 0);
  }
  const waits = tries.slice(1).map((at, i) => at - tries[i]!);
  expect(tries[0]).toBe(0);
  expect(waits).toEqual([1500, 2500, 4500, 8500, 16_500, 32_500, 60_500, 60_500]);
});

test('one probes, and all proceed when it succeeds', async () => {
  const clock = new ManualClock();
  const backOff = new BackOff(clock, () => 0);
  let up = false;
  const tries = [0, 0, 0];
  const all = tries.map((_, i) =>
    backOff.retry(async () => {
      tries[i]!++;
      return up;
    }),
  );
  await turn();
  expect(tries.reduce((a, b) => a + b)).toBe(1);
  up = true;
  clock.advance(1000);
  expect(await Promise.all(all)).toEqual([true, true, true]);
  expect(tries.reduce((a, b) => a + b)).toBe(4);
});

test('success starts it afresh', async () => {
  const clock = new ManualClock();
  const backOff = new BackOff(clock, () => 0);
  const outcomes = [false, true, true];
  const attempt = async () => outcomes.shift()!;
  const first = backOff.retry(attempt);
  await turn();
  clock.advance(1000);
  expect(await first).toBe(true);
  expect(await backOff.retry(attempt)).toBe(true);
});

test('stopping ends the waits', async () => {
  const clock = new ManualClock();
  const backOff = new BackOff(clock);
  const retrying = backOff.retry(async () => false);
  await turn();
  backOff.stop();
  expect(await retrying).toBe(false);
  expect(clock.pending).toEqual([]);
});
