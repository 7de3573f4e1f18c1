import { beforeEach, describe, expect, test } from 'vitest';
import { counted, TestEdge, usedOf } from './fixtures.test-support.ts';
import type { HubDirectory } from './hub-directory.ts';
import { ALONE } from './others.ts';

let edge: TestEdge;
let hubs: HubDirectory;
let followed: Set<string>;

beforeEach(() => {
  edge = new TestEdge({ hubs: 4 });
  hubs = edge.hubs;
  followed = new Set();
  hubs.join({
    othersOf: () => ALONE,
    follow: (hub) => void followed.add(hub),
    unfollow: (hub) => void followed.delete(hub),
  });
});

describe('a hub', () => {
  test('is made once, and known from then on', () => {
    expect(hubs.get('chat')!).toBeUndefined();
    const hub = hubs.open('chat', 'client');
    expect(hubs.open('chat', 'server')).toBe(hub);
    expect(hubs.get('chat')!).toBe(hub);
    expect([...hubs]).toEqual([hub]);
    expect(followed).toEqual(new Set(['chat']));
  });

  test('is forgotten a minute after its last use', () => {
    hubs.open('chat', 'client');
    edge.pass(30);
    hubs.open('chat', 'client');
    edge.pass(59);
    expect(hubs.get('chat')!).toBeDefined();
    edge.pass(1);
    expect(hubs.get('chat')!).toBeUndefined();
    expect(followed.size).toBe(0);
  });

  test('stays while a client is there, however far it has come, and a minute longer', () => {
    const client = edge.strangeClient({ hub: 'chat', handshakeMs: 1_000_000 });
    edge.pass(100);
    expect(hubs.get('chat')!).toBeDefined();
    client.socket.close();
    edge.pass(59);
    expect(hubs.get('chat')!).toBeDefined();
    edge.pass(2);
    expect(hubs.get('chat')!).toBeUndefined();
  });

  test('stays while a server connection is there', async () => {
    const server = await edge.server({ hub: 'chat' });
    for (let second = 0; second < 100; second++) {
      server.says({ type: 3, entries: [] });
      edge.pass(1);
    }
    expect(hubs.get('chat')!).toBeDefined();
  });

  test('stays while an app server shakes hands, though the edge itself sleeps meanwhile', async () => {
    const server = edge.strangeServer({ hub: 'chat' });
    edge.sleep(100);
    server.shakesHands();
    expect(hubs.get('chat')?.servers.size).toBe(1);
  });

  test('stays until the rules for who comes are over, and a minute longer', () => {
    const hub = hubs.open('chat', 'server')!;
    const rule = { kind: 'joinUser', userId: 'ann', group: 'news' } as const;
    hub.execute({ ...rule, ttlSeconds: 100 }, new Uint8Array(0));
    hub.execute({ ...rule, userId: 'ben', ttlSeconds: 200 }, new Uint8Array(0));
    edge.pass(258);
    expect(hubs.get('chat')!).toBe(hub);
    edge.pass(2);
    expect(hubs.get('chat')!).toBeUndefined();
    expect(usedOf(edge.context.pools, 'user_group_rules')).toBe(0);
  });

  test('gives the room of rules whose time is over back while it is in use', async () => {
    await edge.server({ hub: 'chat' });
    const rule = { kind: 'joinUser', userId: 'ann', group: 'news', ttlSeconds: 1 } as const;
    hubs.get('chat')!.execute(rule, new Uint8Array(0));
    expect(usedOf(edge.context.pools, 'user_group_rules')).toBe(1);
    edge.pass(3);
    expect(usedOf(edge.context.pools, 'user_group_rules')).toBe(0);
  });

  test('stays while it has rules for who comes', () => {
    const hub = hubs.open('chat', 'server')!;
    const join = { kind: 'joinUser', userId: 'ann', group: 'news', ttlSeconds: 900 } as const;
    hub.execute(join, new Uint8Array(0));
    edge.pass(100);
    expect(hubs.get('chat')!).toBe(hub);
    const leave = { kind: 'leaveUser', userId: 'ann', group: undefined } as const;
    hub.execute(leave, new Uint8Array(0));
    // Others may have missed it, and are told for ten minutes.
    edge.pass(601);
    expect(hubs.get('chat')!).toBe(hub);
    edge.pass(60);
    expect(hubs.get('chat')!).toBeUndefined();
  });
});

describe('of as many hubs as there may be', () => {
  test('clients name half, and app servers the rest', () => {
    expect(hubs.open('a', 'client')).toBeDefined();
    expect(hubs.open('b', 'client')).toBeDefined();
    expect(hubs.open('c', 'client')).toBeUndefined();
    expect(hubs.open('a', 'client')).toBeDefined();
    expect(hubs.open('c', 'server')).toBeDefined();
    expect(hubs.open('d', 'server')).toBeDefined();
    expect(hubs.open('e', 'server')).toBeUndefined();
    expect(hubs.open('d', 'client')).toBeDefined();
    expect(counted(edge.context.counters.refusals)).toEqual({ hubs: 2 });
  });

  test('those that app servers name take nothing of the half of clients, before or after', () => {
    expect(hubs.open('a', 'server')).toBeDefined();
    expect(hubs.open('b', 'client')).toBeDefined();
    expect(hubs.open('b', 'server')).toBe(hubs.open('b', 'server'));
    expect(hubs.open('c', 'client')).toBeDefined();
    expect(hubs.open('d', 'client')).toBeDefined();
    expect(hubs.open('e', 'client')).toBeUndefined();
  });

  test('those nobody uses make room for others, whoever named them', () => {
    for (const name of ['a', 'b']) hubs.open(name, 'client');
    for (const name of ['b', 'c', 'd']) hubs.open(name, 'server');
    edge.pass(60);
    const opened = ['e', 'f', 'g'].map((name) => hubs.open(name, 'client') !== undefined);
    expect(opened).toEqual([true, true, false]);
  });
});

test('rules of one hub do not take the room of those of another', () => {
  const [large, small] = [hubs.open('large', 'server')!, hubs.open('small', 'server')!];
  const join = (userId: string) =>
    ({ kind: 'joinUser', userId, group: 'g', ttlSeconds: undefined }) as const;
  for (let user = 0; user < 500_001; user++) {
    large.model.execute(join(`user-${user}`), 'bus', 0);
  }
  expect(counted(edge.context.pools.refusals)).toEqual({ 'user_group_rules|share': 1 });
  small.model.execute(join('ann'), 'bus', 0);
  expect([...edge.context.pools.usage()]).toContainEqual(['user_group_rules', 500_001, 1_000_000]);
});
