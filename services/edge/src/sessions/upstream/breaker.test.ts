import { expect, test } from 'vitest';
import { Breaker, OPEN_MS } from './breaker.ts';

function broken(): Breaker {
  const breaker = new Breaker();
  for (let i = 0; i < 5; i++) breaker.failed(0);
  return breaker;
}

test('a breaker opens at the fifth failure in a row', () => {
  const breaker = new Breaker();
  const opened = [1, 2, 3, 4].map(() => breaker.failed(0));
  expect([...opened, breaker.admits(0)]).toEqual([false, false, false, false, true]);
  expect(breaker.failed(0)).toBe(true);
  expect([breaker.admits(0), breaker.state(0)]).toEqual([false, 'open']);
});

test('a success in between begins anew', () => {
  const breaker = new Breaker();
  for (let i = 0; i < 4; i++) breaker.failed(0);
  breaker.succeeded();
  expect(breaker.failed(0)).toBe(false);
  expect(breaker.state(0)).toBe('closed');
});

test('when it has been open for a while, one call is let through', () => {
  const breaker = broken();
  expect(breaker.admits(OPEN_MS - 1)).toBe(false);
  expect([breaker.state(OPEN_MS), breaker.admits(OPEN_MS)]).toEqual(['half_open', true]);
  expect(breaker.admits(OPEN_MS)).toBe(false);
});

test('that one decides', () => {
  const back = broken();
  back.admits(OPEN_MS);
  back.succeeded();
  expect([back.state(OPEN_MS), back.admits(OPEN_MS), back.admits(OPEN_MS)]).toEqual([
    'closed',
    true,
    true,
  ]);
  const down = broken();
  down.admits(OPEN_MS);
  expect(down.failed(OPEN_MS)).toBe(true);
  expect([down.admits(OPEN_MS + 1), down.admits(2 * OPEN_MS)]).toEqual([false, true]);
});

test('one that was let through and never made leaves its place to the next', () => {
  const breaker = broken();
  breaker.admits(OPEN_MS);
  breaker.gaveUp();
  expect(breaker.admits(OPEN_MS)).toBe(true);
});

test('failures of calls that were under way when it opened do not keep it open', () => {
  const breaker = broken();
  expect(breaker.failed(OPEN_MS - 1)).toBe(false);
  expect(breaker.admits(OPEN_MS)).toBe(true);
});
