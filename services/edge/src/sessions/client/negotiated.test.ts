import { beforeEach, describe, expect, test } from 'vitest';
import type { Grant } from './negotiated.ts';
import { CONNECT_WITHIN_MS, NegotiatedIds } from './negotiated.ts';

const to = (hub: string, userId: string | undefined, version = 1): Grant => ({
  version,
  hub,
  userId,
});

let released: string[];
let ids: NegotiatedIds;

beforeEach(() => {
  released = [];
  ids = new NegotiatedIds((id) => released.push(id));
});

describe('a negotiated id', () => {
  test('is claimed once', () => {
    ids.add('a', to('chat', 'ann'), 0);
    expect(ids.claim('a', to('chat', 'ann'), 1)).toEqual({ early: undefined });
    expect(ids.claim('a', to('chat', 'ann'), 1)).toBeUndefined();
    ids.expire(1_000_000);
    expect(released).toEqual([]);
  });

  test('is claimed by its hub and user alone, who can still do so afterwards', () => {
    ids.add('a', to('chat', 'ann'), 0);
    expect(ids.claim('a', to('other', 'ann'), 1)).toBeUndefined();
    expect(ids.claim('a', to('chat', 'ben'), 1)).toBeUndefined();
    expect(ids.claim('a', to('chat', undefined), 1)).toBeUndefined();
    expect(ids.claim('b', to('chat', 'ann'), 1)).toBeUndefined();
    expect(ids.claim('a', to('chat', 'ann'), 1)).toEqual({ early: undefined });
  });

  test('that was given out with a signed token is not claimed without one, nor the other way', () => {
    ids.add('a', to('chat', 'ann', 1), 0);
    expect(ids.claim('a', to('chat', 'ann', 0), 1)).toBeUndefined();
    ids.add('b', to('chat', 'ann', 0), 0);
    expect(ids.claim('b', to('chat', 'ann', 1), 1)).toBeUndefined();
  });

  test('comes with what was posted before it was claimed', () => {
    ids.add('a', to('chat', 'ann'), 0);
    expect(ids.has('a', to('chat', 'ann'), 1)).toBe(true);
    expect(ids.has('a', to('chat', 'ben'), 1)).toBe(false);
    expect(ids.keepEarly('a', Buffer.from('one'))).toBe(true);
    expect(ids.keepEarly('a', Buffer.from(' two'))).toBe(true);
    expect(ids.keepEarly('b', Buffer.from('lost'))).toBe(false);
    expect(ids.claim('a', to('chat', 'ann'), 1)?.early?.toString()).toBe('one two');
    expect(ids.keepEarly('a', Buffer.from('late'))).toBe(false);
  });

  test('has room for 256 KB', () => {
    ids.add('a', to('chat', 'ann'), 0);
    expect(ids.keepEarly('a', Buffer.alloc(256 * 1024 + 1))).toBe(false);
    expect(ids.keepEarly('a', Buffer.alloc(256 * 1024 - 1))).toBe(true);
    expect(ids.keepEarly('a', Buffer.alloc(2))).toBe(false);
    expect(ids.keepEarly('a', Buffer.alloc(1))).toBe(true);
  });

  test('shares 16 MB with all, which are free again once it is claimed or given up', () => {
    const fill = (id: string): boolean => ids.keepEarly(id, Buffer.alloc(256 * 1024));
    for (let n = 0; n <= 64; n++) ids.add(`${n}`, to('chat', 'ann'), 0);
    for (let n = 0; n < 64; n++) expect(fill(`${n}`)).toBe(true);
    expect(fill('64')).toBe(false);
    ids.claim('0', to('chat', 'ann'), 1);
    expect(fill('64')).toBe(true);
    ids.expire(20_000);
    ids.add('later', to('chat', 'ann'), 20_000);
    expect(fill('later')).toBe(true);
  });

  test('of nobody is claimed by nobody', () => {
    ids.add('a', to('chat', undefined), 0);
    expect(ids.claim('a', to('chat', ''), 1)).toBeUndefined();
    expect(ids.claim('a', to('chat', undefined), 1)).toEqual({ early: undefined });
  });

  test('can be claimed for 15 seconds, and is given back after that', () => {
    expect(CONNECT_WITHIN_MS).toBe(15_000);
    ids.add('a', to('chat', 'ann'), 0);
    ids.add('b', to('chat', 'ann'), 1000);
    ids.expire(15_000);
    expect(released).toEqual([]);
    expect(ids.claim('b', to('chat', 'ann'), 16_001)).toBeUndefined();
    ids.expire(15_001);
    expect(released).toEqual(['a']);
    ids.expire(16_001);
    expect(released).toEqual(['a', 'b']);
    ids.expire(100_000);
    expect(released).toEqual(['a', 'b']);
  });
});

test('there are never more than 100,000 at a time', () => {
  for (let i = 0; i < 100_000; i++) {
    expect(ids.full).toBe(false);
    ids.add(String(i), to('chat', undefined), 0);
  }
  expect(ids.full).toBe(true);
  ids.expire(20_000);
  expect(ids.full).toBe(false);
});
