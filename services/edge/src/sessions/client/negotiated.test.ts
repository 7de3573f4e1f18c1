import { beforeEach, describe, expect, test } from 'vitest';
import { Pools } from '../../pools.ts';
import { counted } from '../fixtures.test-support.ts';
import type { Grant } from './negotiated.ts';
import { CONNECT_WITHIN_MS, NegotiatedIds } from './negotiated.ts';

const to = (hub: string, userId: string | undefined, version = 1): Grant => ({
  version,
  hub,
  userId,
});

let released: string[];
let pools: Pools;
let ids: NegotiatedIds;

beforeEach(() => {
  released = [];
  pools = new Pools();
  ids = new NegotiatedIds((id) => released.push(id), pools);
});

/** Gives an id out, as a negotiate does. */
function add(id: string, grant: Grant, now: number, owner = 'somebody'): boolean {
  const has = ids.reserve(owner);
  if (has) ids.add(id, owner, grant, now);
  return has;
}

describe('a negotiated id', () => {
  test('is claimed once', () => {
    add('a', to('chat', 'ann'), 0);
    expect(ids.claim('a', to('chat', 'ann'), 1)).toEqual({ early: undefined });
    expect(ids.claim('a', to('chat', 'ann'), 1)).toBeUndefined();
    ids.expire(1_000_000);
    expect(released).toEqual([]);
  });

  test('is claimed by its hub and user alone, who can still do so afterwards', () => {
    add('a', to('chat', 'ann'), 0);
    expect(ids.claim('a', to('other', 'ann'), 1)).toBeUndefined();
    expect(ids.claim('a', to('chat', 'ben'), 1)).toBeUndefined();
    expect(ids.claim('a', to('chat', undefined), 1)).toBeUndefined();
    expect(ids.claim('b', to('chat', 'ann'), 1)).toBeUndefined();
    expect(ids.claim('a', to('chat', 'ann'), 1)).toEqual({ early: undefined });
  });

  test('that was given out with a signed token is not claimed without one, nor the other way', () => {
    add('a', to('chat', 'ann', 1), 0);
    expect(ids.claim('a', to('chat', 'ann', 0), 1)).toBeUndefined();
    add('b', to('chat', 'ann', 0), 0);
    expect(ids.claim('b', to('chat', 'ann', 1), 1)).toBeUndefined();
  });

  test('comes with what was posted before it was claimed', () => {
    add('a', to('chat', 'ann'), 0);
    expect(ids.has('a', to('chat', 'ann'), 1)).toBe(true);
    expect(ids.has('a', to('chat', 'ben'), 1)).toBe(false);
    expect(ids.keepEarly('a', Buffer.from('one'))).toBe(true);
    expect(ids.keepEarly('a', Buffer.from(' two'))).toBe(true);
    expect(ids.keepEarly('b', Buffer.from('lost'))).toBe(false);
    expect(ids.claim('a', to('chat', 'ann'), 1)?.early?.toString()).toBe('one two');
    expect(ids.keepEarly('a', Buffer.from('late'))).toBe(false);
  });

  test('has room for 64 KB', () => {
    add('a', to('chat', 'ann'), 0);
    expect(ids.keepEarly('a', Buffer.alloc(64 * 1024 + 1))).toBe(false);
    expect(ids.keepEarly('a', Buffer.alloc(64 * 1024 - 1))).toBe(true);
    expect(ids.keepEarly('a', Buffer.alloc(2))).toBe(false);
    expect(ids.keepEarly('a', Buffer.alloc(1))).toBe(true);
  });

  test('shares 4 MB with those of its user, which are free again once it is claimed or given up', () => {
    const fill = (id: string): boolean => ids.keepEarly(id, Buffer.alloc(64 * 1024));
    for (let n = 0; n <= 64; n++) add(`${n}`, to('chat', 'ann'), 0);
    add('of ben', to('chat', 'ben'), 0, 'ben');
    for (let n = 0; n < 64; n++) expect(fill(`${n}`)).toBe(true);
    expect(fill('64')).toBe(false);
    expect(fill('of ben')).toBe(true);
    ids.claim('0', to('chat', 'ann'), 1);
    expect(fill('64')).toBe(true);
    ids.expire(20_000);
    add('later', to('chat', 'ann'), 20_000);
    expect(fill('later')).toBe(true);
  });

  test('shares 16 MB with all: who has posted most gives way to others', () => {
    const owners = ['a', 'b', 'c', 'd'];
    for (const owner of owners) {
      for (let n = 0; n < 64; n++) {
        add(`${owner}${n}`, to('chat', undefined), 0, owner);
        ids.keepEarly(`${owner}${n}`, Buffer.alloc(64 * 1024));
      }
    }
    add('late', to('chat', undefined), 0, 'late');
    expect(ids.keepEarly('late', Buffer.from('in'))).toBe(true);
    expect(counted(pools.refusals)).toEqual({ 'early_posts|evicted': 1 });
    expect(released).toHaveLength(64);
    expect(new Set(released.map((id) => id[0])).size).toBe(1);
  });

  test('of nobody is claimed by nobody', () => {
    add('a', to('chat', undefined), 0);
    expect(ids.claim('a', to('chat', ''), 1)).toBeUndefined();
    expect(ids.claim('a', to('chat', undefined), 1)).toEqual({ early: undefined });
  });

  test('can be claimed for 15 seconds, and is given back after that', () => {
    expect(CONNECT_WITHIN_MS).toBe(15_000);
    add('a', to('chat', 'ann'), 0);
    add('b', to('chat', 'ann'), 1000);
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

describe('of 100,000 ids', () => {
  const flood = (owner: string): number => {
    let got = 0;
    while (add(`${owner} ${got}`, to('chat', owner), 0, owner)) got++;
    return got;
  };

  test('one user or token gets 10,000, and others what is left', () => {
    expect(flood('greedy')).toBe(10_000);
    expect(counted(pools.refusals)).toEqual({ 'negotiates|share': 1 });
    expect(add('mine', to('chat', 'ann'), 0, 'ann')).toBe(true);
    ids.expire(20_000);
    expect(add('again', to('chat', 'greedy'), 20_000, 'greedy')).toBe(true);
  });

  test('those of the greediest are taken back when none is left', () => {
    for (let n = 0; n < 10; n++) expect(flood(`greedy ${n}`)).toBe(10_000);
    expect(add('mine', to('chat', 'ann'), 0, 'ann')).toBe(true);
    expect(released).toHaveLength(10_000);
    expect(ids.has('mine', to('chat', 'ann'), 1)).toBe(true);
    expect([...pools.usage()]).toContainEqual(['negotiates', 90_001, 100_000]);
  });

  test('a place that was not used is given back', () => {
    for (let n = 0; n < 20_000; n++) {
      expect(ids.reserve('ann')).toBe(true);
      ids.unreserve('ann');
    }
  });
});
