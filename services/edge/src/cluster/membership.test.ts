import { beforeEach, describe, expect, test } from 'vitest';
import { NO_STATUS } from './edge-status.ts';
import type { Heartbeat } from './membership.ts';
import { Membership } from './membership.ts';

const beat = (edgeId: string, over: Partial<Heartbeat> = {}): Heartbeat => ({
  edgeId,
  incarnation: `of ${edgeId}`,
  startedAt: 1_000,
  tag: `tag${edgeId}`,
  status: NO_STATUS,
  ...over,
});

let membership: Membership;
beforeEach(() => {
  membership = new Membership(beat('self'));
});

describe('another edge', () => {
  test('joins with its first heartbeat, and is found by the tag of its ids', () => {
    const joined = { kind: 'joined', edgeId: 'b', isBack: false };
    expect(membership.heard(beat('b'), 0)).toEqual([joined]);
    expect(membership.heard(beat('b'), 1_000)).toEqual([]);
    membership.heard(beat('a'), 0);
    expect(membership.edges).toEqual(['a', 'b']);
    expect(membership.withTag('tagb')).toBe('b');
    expect(membership.withTag('tagself')).toBeUndefined();
  });

  test('is as its latest heartbeat says', () => {
    membership.heard(beat('b'), 0);
    membership.heard(beat('b', { status: { ...NO_STATUS, clients: 7 } }), 1_000);
    expect(membership.statusOf('b').clients).toBe(7);
    membership.lost('b', false);
    expect(membership.statusOf('b')).toBe(NO_STATUS);
  });

  test('is suspect once after two seconds, and gone after three', () => {
    membership.heard(beat('b'), 0);
    expect(membership.expire(1_999, 0)).toEqual([]);
    expect(membership.expire(2_000, 0)).toEqual([{ kind: 'suspect', edgeId: 'b' }]);
    expect(membership.expire(2_999, 0)).toEqual([]);
    expect(membership.expire(3_000, 0)).toEqual([{ kind: 'lost', edgeId: 'b' }]);
    expect(membership.edges).toEqual([]);
  });

  test('that is gone may come back, and its ids are known meanwhile', () => {
    expect(membership.isAlone).toBe(true);
    membership.heard(beat('b'), 0);
    membership.lost('b', false);
    expect([membership.isAlone, membership.withTag('tagb')]).toEqual([false, 'b']);
    const back = { kind: 'joined', edgeId: 'b', isBack: true };
    expect(membership.heard(beat('b'), 20_000)).toEqual([back]);
    membership.lost('b', false);
    const again = beat('b', { incarnation: 'second', startedAt: 2_000, tag: 'tag2' });
    expect(membership.heard(again, 30_000)).toEqual([{ ...back, isBack: false }]);
    expect(membership.withTag('tagb')).toBeUndefined();
    // It says so, late.
    membership.lost('b', false);
    membership.lost('b', true);
    expect([membership.isAlone, membership.withTag('tag2')]).toEqual([true, undefined]);
  });

  test('is remembered among the thousand that went last', () => {
    for (let n = 0; n < 1_001; n++) {
      membership.heard(beat(`${n}`), 0);
      membership.lost(`${n}`, false);
    }
    expect(membership.withTag('tag0')).toBeUndefined();
    expect(membership.withTag('tag1')).toBe('1');
    expect(membership.withTag('tag1000')).toBe('1000');
  });

  test('that answers when it is suspect stays', () => {
    membership.heard(beat('b'), 0);
    membership.expire(2_000, 0);
    membership.heard(beat('b'), 2_500);
    expect(membership.expire(4_000, 0)).toEqual([]);
    expect(membership.expire(4_500, 0)).toEqual([{ kind: 'suspect', edgeId: 'b' }]);
  });

  test('is not blamed for what this edge slept', () => {
    membership.heard(beat('b'), 0);
    expect(membership.expire(11_000, 10_000)).toEqual([]);
    expect(membership.expire(13_000, 0)).toEqual([{ kind: 'lost', edgeId: 'b' }]);
  });

  test('that is heard at the end of that sleep is not heard of in the future', () => {
    membership.heard(beat('b'), 0);
    membership.heard(beat('b'), 11_000);
    expect(membership.expire(11_000, 10_000)).toEqual([]);
    expect(membership.expire(14_000, 0)).toEqual([{ kind: 'lost', edgeId: 'b' }]);
  });

  test('that is started again is lost, and another one', () => {
    membership.heard(beat('b'), 0);
    const again = beat('b', { incarnation: 'second', startedAt: 2_000, tag: 'tag2' });
    expect(membership.heard(again, 1_000)).toEqual([
      { kind: 'lost', edgeId: 'b' },
      { kind: 'joined', edgeId: 'b', isBack: false },
    ]);
    expect([membership.withTag('tagb'), membership.withTag('tag2')]).toEqual([undefined, 'b']);
    // A late heartbeat of the one before changes nothing.
    expect(membership.heard(beat('b'), 1_001)).toEqual([]);
    expect(membership.withTag('tag2')).toBe('b');
  });

  test('that says it goes is gone at once, and once', () => {
    membership.heard(beat('b'), 0);
    expect(membership.lost('b', true)).toEqual([{ kind: 'lost', edgeId: 'b' }]);
    expect(membership.lost('b', true)).toEqual([]);
    expect([membership.isAlone, membership.withTag('tagb')]).toEqual([true, undefined]);
  });
});

describe('two edges with one id, or one tag', () => {
  test.each([
    ['id', beat('self', { incarnation: 'other', tag: 'tag2' })],
    ['tag', beat('other', { tag: 'tagself' })],
  ] as const)('%s: the younger one has to go', (what, other) => {
    expect(membership.heard({ ...other, startedAt: 999 }, 0)).toEqual([
      { kind: 'conflict', with: { ...other, startedAt: 999 }, what },
    ]);
    expect(membership.heard({ ...other, startedAt: 1_001 }, 0)).toEqual([]);
    expect(membership.edges).toEqual([]);
  });

  test('that were started in the same millisecond: one of them has to go', () => {
    const [first, second] = [beat('x', { incarnation: '1' }), beat('x', { incarnation: '2' })];
    const seenBy = (one: Heartbeat, other: Heartbeat) => new Membership(one).heard(other, 0).length;
    expect([seenBy(first, second), seenBy(second, first)]).toEqual([0, 1]);
  });
});
