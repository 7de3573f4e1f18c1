import { expect, test } from 'vitest';
import { discard } from './discard.ts';

const LARGE = 16 * 1024;

test('large bytes are gone at once, and with them their memory', () => {
  const bytes = new Uint8Array(64 * 1024 * 1024);
  const before = process.memoryUsage().arrayBuffers;
  discard(bytes);
  expect(bytes.length).toBe(0);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThan(60 * 1024 * 1024);
});

test('those that share their memory, and small ones, stay', () => {
  const whole = new Uint8Array(2 * LARGE);
  const part = whole.subarray(LARGE);
  const small = new Uint8Array(LARGE - 1);
  const pooled = Buffer.from('pooled');
  for (const bytes of [part, small, pooled]) discard(bytes);
  expect([whole, part, small, pooled].map(({ length }) => length)).toEqual([
    2 * LARGE,
    LARGE,
    LARGE - 1,
    6,
  ]);
});
