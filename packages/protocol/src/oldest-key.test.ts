import { describe, expect, it } from 'vitest';
import { OldestKey } from './oldest-key.ts';

describe('OldestKey', () => {
  it('answers one after the other, as they are taken out', () => {
    const map = new Map(['a', 'b', 'c'].map((key) => [key, 1]));
    const oldest = new OldestKey(map);
    const taken: (string | undefined)[] = [];
    for (let key = oldest.next(); key !== undefined; key = oldest.next()) {
      taken.push(key);
      map.delete(key);
      if (key === 'b') map.set('d', 1);
    }
    expect(taken).toEqual(['a', 'b', 'c', 'd']);
  });

  it('answers the oldest when others have been taken out, and added again', () => {
    const set = new Set(['a', 'b', 'c']);
    const oldest = new OldestKey(set);
    set.delete(oldest.next()!);
    set.delete('b');
    set.add('b');
    expect(oldest.next()).toBe('c');
  });

  it('begins anew where it has come to the end', () => {
    const set = new Set(['a', 'b']);
    const oldest = new OldestKey(set);
    expect([oldest.next(), oldest.next(), oldest.next()]).toEqual(['a', 'b', 'a']);
  });

  it('answers undefined while there is none, and whoever comes then', () => {
    const set = new Set<string>();
    const oldest = new OldestKey(set);
    expect(oldest.next()).toBeUndefined();
    set.add('a');
    expect(oldest.next()).toBe('a');
  });

  it('keeps its place when the map is laid out again in between', () => {
    const map = new Map<number, number>();
    const oldest = new OldestKey(map);
    const taken: (number | undefined)[] = [];
    for (let key = 0; key < 10_000; key++) {
      map.set(key, key);
      if (map.size <= 10) continue;
      const first = oldest.next()!;
      taken.push(first);
      map.delete(first);
    }
    expect(taken).toEqual(Array.from({ length: 9_990 }, (_, key) => key));
  });
});
