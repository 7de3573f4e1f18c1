import { beforeEach, expect, test } from 'vitest';
import type { Bus } from '../ports/bus.ts';
import { FollowedHubs, hubSubject } from './followed-hubs.ts';

let subscribed: Set<string>;
let effective: (() => void)[];
let heard: string[];
let hubs: FollowedHubs;

beforeEach(() => {
  subscribed = new Set();
  effective = [];
  heard = [];
  const bus: Bus = {
    publish() {},
    send() {},
    subscribe: (subject) => void subscribed.add(subject),
    unsubscribe: (subject) => void subscribed.delete(subject),
    whenSubscribed: (then) => void effective.push(then),
    close: async () => {},
  };
  hubs = new FollowedHubs(bus);
});

const wait = (hub: string, name: string, now = 0): void =>
  hubs.whenHeard(hub, now, () => void heard.push(name));

test('whoever waits for a hub to be heard is told when its subscription is in force', () => {
  hubs.add('chat');
  expect(subscribed).toEqual(new Set([hubSubject('chat')]));
  wait('chat', 'early');
  wait('other', 'elsewhere');
  expect(heard).toEqual(['elsewhere']);
  effective[0]!();
  wait('chat', 'late');
  expect(heard).toEqual(['elsewhere', 'early', 'late']);
});

test('nobody waits for more than a second, or for a bus that is down', () => {
  hubs.add('chat');
  wait('chat', 'first');
  wait('chat', 'second', 500);
  hubs.expire(999, 0);
  expect(heard).toEqual([]);
  hubs.expire(11_000, 10_000);
  expect(heard).toEqual(['first']);
  hubs.giveUp();
  expect(heard).toEqual(['first', 'second']);
  wait('chat', 'third');
  expect(heard).toEqual(['first', 'second', 'third']);
});

test('a hub that is given up and taken up again is heard by its second subscription', () => {
  hubs.add('chat');
  wait('chat', 'first');
  hubs.delete('chat');
  expect([heard, subscribed]).toEqual([['first'], new Set()]);
  hubs.add('chat');
  wait('chat', 'second');
  effective[0]!();
  expect(heard).toEqual(['first']);
  effective[1]!();
  expect(heard).toEqual(['first', 'second']);
});
