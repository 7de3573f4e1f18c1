import { expect, test } from 'vitest';
import { Hub } from './hub.ts';
import type { Member } from './member.ts';

interface TestMember extends Member<TestMember> {
  readonly id: string;
}

test('a hub is empty only while nobody is there and nothing is kept for who comes', () => {
  const room = { take: () => true, give: () => {} };
  const hub = new Hub<TestMember>('chat', () => undefined, room);
  const member: TestMember = { id: 'c0', userId: 'bob', place: -1, groups: undefined };
  expect(hub.isEmpty(0)).toBe(true);
  hub.attach(member, 0);
  expect(hub.isEmpty(0)).toBe(false);
  hub.detach(member);
  expect(hub.isEmpty(0)).toBe(true);
  hub.execute({ kind: 'joinUser', userId: 'ann', group: 'g', ttlSeconds: 1 }, 'bus', 0);
  expect([hub.isEmpty(999), hub.isEmpty(1_000)]).toEqual([false, true]);
  hub.execute({ kind: 'leaveUser', userId: 'ann', group: 'g' }, 'bus', 2_000);
  expect(hub.isEmpty(2_000)).toBe(false);
  hub.expire(2_000 + 10 * 60_000, 100);
  expect(hub.isEmpty(2_000 + 10 * 60_000)).toBe(true);
});
