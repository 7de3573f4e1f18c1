import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from '../ports/bus.ts';
import { HubSubjects, hubSubject, nameSubject } from './hub-subjects.ts';

let now: number;
let isUp: boolean;
let subscribed: string[];
let effective: (() => void)[];
let heard: string[];
let subjects: HubSubjects;

beforeEach(() => {
  now = 1_000;
  isUp = true;
  subscribed = [];
  effective = [];
  heard = [];
  const bus: Bus = {
    publish() {},
    waiting: 0,
    refuses: () => false,
    send() {},
    subscribe: (subject) => {
      expect(subscribed).not.toContain(subject);
      subscribed.push(subject);
    },
    unsubscribe: (subject) => {
      expect(subscribed).toContain(subject);
      subscribed = subscribed.filter((one) => one !== subject);
    },
    whenSubscribed: (then) => void effective.push(then),
    close: async () => {},
  };
  subjects = new HubSubjects(
    'chat',
    bus,
    () => isUp,
    () => now,
  );
});

const wait = (name: string): void => subjects.whenHeard(() => void heard.push(name));
const pass = (ms: number, late = 0): void => {
  now += ms;
  subjects.expire(now, late);
};

describe('whoever waits for subscriptions', () => {
  test('is told when they are in force, all that there are', () => {
    expect(subscribed).toEqual([hubSubject('chat')]);
    wait('early');
    subjects.wanted('group', 'g');
    wait('later');
    effective[0]!();
    expect(heard).toEqual(['early']);
    effective[1]!();
    wait('at once');
    expect(heard).toEqual(['early', 'later', 'at once']);
  });

  test('does not wait for those that come after, however many that are', () => {
    effective[0]!();
    for (let n = 1; n <= 5; n++) {
      subjects.wanted('group', `g${n}`);
      wait(`w${n}`);
      if (n > 1) effective[n - 1]!();
    }
    expect(heard).toEqual(['w1', 'w2', 'w3', 'w4']);
  });

  test('asks the bus one question at a time, however many come while it is down', () => {
    for (let n = 0; n < 1_000; n++) subjects.wanted('user', `u${n}`);
    wait('all');
    expect(effective).toHaveLength(1);
    effective[0]!();
    expect([heard, effective.length]).toEqual([[], 2]);
    effective[1]!();
    expect([heard, effective.length]).toEqual([['all'], 2]);
  });

  test('waits a second at most, or until the bus is down', () => {
    wait('first');
    now += 500;
    wait('second');
    pass(499);
    expect(heard).toEqual([]);
    pass(10_001, 10_000);
    expect(heard).toEqual(['first']);
    subjects.giveUp();
    wait('third');
    expect(heard).toEqual(['first', 'second', 'third']);
  });

  test('since the end of a sleep of this edge waits no longer than others', () => {
    now += 10_000;
    wait('first');
    subjects.expire(now, 10_000);
    pass(999);
    expect(heard).toEqual([]);
    pass(1);
    expect(heard).toEqual(['first']);
  });

  test('waits for nothing while the bus is away', () => {
    subjects.giveUp();
    isUp = false;
    subjects.wanted('group', 'g');
    wait('first');
    expect(heard).toEqual(['first']);
  });

  test('waits no longer than there is a hub', () => {
    wait('first');
    subjects.close();
    expect([heard, subscribed]).toEqual([['first'], []]);
    effective[0]!();
    expect(heard).toEqual(['first']);
  });
});

describe('the subject of a name', () => {
  const G = nameSubject('chat', 'group', 'g');

  test('is listened to from its first connection until five seconds after its last', () => {
    subjects.wanted('group', 'g');
    subjects.wanted('user', 'g');
    expect(subscribed).toEqual([hubSubject('chat'), G, nameSubject('chat', 'user', 'g')]);
    subjects.unwanted('group', 'g');
    pass(4_999);
    expect(subscribed).toContain(G);
    pass(1);
    expect(subscribed).not.toContain(G);
  });

  test('stays with a name that comes back in time', () => {
    subjects.wanted('group', 'g');
    subjects.unwanted('group', 'g');
    pass(4_000);
    subjects.wanted('group', 'g');
    pass(4_000);
    subjects.unwanted('group', 'g');
    pass(4_000);
    expect(subscribed).toContain(G);
    pass(1_000);
    expect(subscribed).not.toContain(G);
  });

  test('may be shared, and then stays as long as one of its names', () => {
    const names = Array.from({ length: 100_000 }, (_, n) => `name ${n}`);
    const subjectOf = (name: string) => nameSubject('chat', 'group', name);
    const all = new Set(names.map(subjectOf));
    expect(all.size).toBeLessThanOrEqual(65_536);
    // As many as an even spread leaves: 65,536 times (1 - 1/e^(100,000/65,536)).
    expect(all.size).toBeGreaterThan(50_000);
    const other = names.find(
      (name) => name !== 'name 0' && subjectOf(name) === subjectOf('name 0'),
    )!;
    for (const name of ['name 0', other]) subjects.wanted('group', name);
    subjects.unwanted('group', 'name 0');
    pass(10_000);
    expect(subscribed).toContain(subjectOf(other));
    subjects.unwanted('group', other);
    pass(5_000);
    expect(subscribed).not.toContain(subjectOf(other));
  });

  test('is there exactly while somebody needs it, whatever comes and goes', () => {
    const step = fc.record({ name: fc.nat(3), comes: fc.boolean(), ms: fc.nat(6_000) });
    const given = fc.property(fc.array(step), (steps) => {
      const here = new Set<number>();
      for (const { name, comes, ms } of steps) {
        pass(ms);
        if (comes === here.has(name)) continue;
        if (comes) here.add(name);
        else here.delete(name);
        subjects[comes ? 'wanted' : 'unwanted']('user', `${name}`);
      }
      const needed = [...here].map((name) => nameSubject('chat', 'user', `${name}`));
      expect(subscribed).toEqual(expect.arrayContaining(needed));
      for (const name of here) subjects.unwanted('user', `${name}`);
      for (let second = 0; second < 6; second++) pass(1_000);
      expect(subscribed).toEqual([hubSubject('chat')]);
    });
    fc.assert(given, { numRuns: 200 });
  });
});
