import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CONNECTION_ID_LENGTH,
  formatConnectionId,
  formatTag,
  GENERATIONS,
  MAX_SLOTS,
  RANDOM_BYTES,
  slotOfBytes,
  slotOfId,
} from './connection-id.ts';

const slots = fc.integer({ min: 0, max: MAX_SLOTS - 1 });
const generations = fc.integer({ min: 0, max: GENERATIONS - 1 });
const random = fc.uint8Array({ minLength: RANDOM_BYTES, maxLength: RANDOM_BYTES });

test('an id is 20 url-safe characters that start with the tag and tell the slot', () => {
  const given = fc.property(slots, generations, random, (slot, generation, bytes) => {
    const tag = formatTag(bytes);
    const id = formatConnectionId(tag, slot, generation, bytes);
    expect(id).toMatch(/^[A-Za-z0-9_-]{20}$/);
    expect(id.startsWith(tag)).toBe(true);
    expect(slotOfId(id)).toBe(slot);
    expect(slotOfBytes(Buffer.from(`..${id}`), 2, 2 + id.length)).toBe(slot);
  });
  fc.assert(given);
});

test('slot, generation and random part all make a difference', () => {
  const bytes = randomBytes(RANDOM_BYTES);
  const base = formatConnectionId('edge', 5, 7, bytes);
  const otherBytes = bytes.map((byte, i) => (i === RANDOM_BYTES - 1 ? byte ^ 1 : byte));
  expect(formatConnectionId('edge', 6, 7, bytes)).not.toBe(base);
  expect(formatConnectionId('edge', 5, 8, bytes)).not.toBe(base);
  expect(formatConnectionId('edge', 5, 7, otherBytes)).not.toBe(base);
});

test('text of another length or alphabet names no slot', () => {
  const id = formatConnectionId('edge', 5, 7, randomBytes(RANDOM_BYTES));
  const wrong = [id.slice(1), `${id}A`, '', `edge${'.'.repeat(16)}`, `edge${'€'.repeat(16)}`];
  for (const text of wrong) {
    const bytes = Buffer.from(text, 'latin1');
    expect(slotOfBytes(bytes, 0, bytes.length)).toBeLessThan(0);
  }
  expect(slotOfId(id.slice(1))).toBe(-1);
  expect(slotOfId(`${id}A`)).toBe(-1);
  expect(slotOfId('edge'.padEnd(CONNECTION_ID_LENGTH, '.'))).toBeLessThan(0);
});
