import { expect, test } from 'vitest';
import { ArrivalState } from './arrival-state.ts';
import { HeldMessage } from './opening-queue.ts';

const KB = 1024;
const arriving = (early?: Buffer): ArrivalState =>
  new ArrivalState(1000, { handshakeMs: 15_000, expiresAt: 7, early });

test('knows when it began, when it has to be done, and when the sign-in ends', () => {
  expect(arriving()).toMatchObject({ deadline: 16_000, expiresAt: 7 });
  expect(arriving().age(3500)).toBe(2.5);
});

test('keeps the bytes of a client in order, behind those posted before, until they are taken', () => {
  const state = arriving(Buffer.from('posted '));
  const lent = Buffer.from('first ');
  expect(state.keepEarly(lent)).toBe(true);
  lent.fill(0);
  expect(state.keepEarly(Buffer.from('second'))).toBe(true);
  expect(state.takeEarly()?.toString()).toBe('posted first second');
  expect(state.takeEarly()).toBeUndefined();
});

test('keeps 64 KB of a client, those posted before included', () => {
  const state = arriving(Buffer.alloc(8 * KB));
  expect(state.keepEarly(Buffer.alloc(56 * KB + 1))).toBe(false);
  expect(state.keepEarly(Buffer.alloc(56 * KB))).toBe(true);
  expect(state.keepEarly(Buffer.alloc(1))).toBe(false);
});

test('is fresh until a server has seen or said more than the handshake request', () => {
  expect(arriving(Buffer.from('early')).isFresh).toBe(true);
  expect(Object.assign(arriving(), { answered: true }).isFresh).toBe(false);
  expect(Object.assign(arriving(), { forwarded: true }).isFresh).toBe(false);
  const greeted = arriving();
  greeted.hold(new HeldMessage(Buffer.from('a'), 1), { allows: () => true, add: () => {} });
  expect(greeted.isFresh).toBe(true);
});
