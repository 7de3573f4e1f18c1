import { expect, test } from 'vitest';
import { OpeningPhase } from './opening-phase.ts';
import { HeldMessage } from './opening-queue.ts';

const KB = 1024;
const phase = (early?: Buffer): OpeningPhase =>
  new OpeningPhase(1000, { handshakeMs: 15_000, expiresAt: 7, early });

test('knows when it began, when it has to be done, and when the sign-in ends', () => {
  expect(phase()).toMatchObject({ deadline: 16_000, expiresAt: 7 });
  expect(phase().age(3500)).toBe(2.5);
});

test('keeps the bytes of a client in order, behind those posted before, until they are taken', () => {
  const opening = phase(Buffer.from('posted '));
  const lent = Buffer.from('first ');
  expect(opening.keepEarly(lent)).toBe(true);
  lent.fill(0);
  expect(opening.keepEarly(Buffer.from('second'))).toBe(true);
  expect(opening.takeEarly()?.toString()).toBe('posted first second');
  expect(opening.takeEarly()).toBeUndefined();
});

test('keeps 256 KB of a client, those posted before included', () => {
  const opening = phase(Buffer.alloc(200 * KB));
  expect(opening.keepEarly(Buffer.alloc(56 * KB + 1))).toBe(false);
  expect(opening.keepEarly(Buffer.alloc(56 * KB))).toBe(true);
  expect(opening.keepEarly(Buffer.alloc(1))).toBe(false);
});

test('is fresh until a server has seen or said more than the handshake request', () => {
  expect(phase(Buffer.from('early')).isFresh).toBe(true);
  expect(Object.assign(phase(), { answered: true }).isFresh).toBe(false);
  expect(Object.assign(phase(), { forwarded: true }).isFresh).toBe(false);
  const greeted = phase();
  greeted.hold(new HeldMessage(Buffer.from('a'), 1), { allows: () => true, add: () => {} });
  expect(greeted.isFresh).toBe(true);
});
