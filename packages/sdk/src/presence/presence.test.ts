import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import { atEnd, Log, passing, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import { FakeRestService } from '../rest/fake-rest-service.test-support.ts';
import { Manager } from '../rest/manager.ts';
import type { ConnectionScope, Directories, Directory } from './directory.ts';
import { Presence } from './presence.ts';
import { Watches } from './watches.ts';

/** A service that answers when the test says so. */
class HeldDirectory implements Directory {
  readonly name: string;
  readonly members = new Map<string, string>();
  asked = 0;
  listed = 0;
  /** Questions that wait: a test answers them by calling these. */
  readonly waiting: (() => void)[] = [];
  holds = false;
  fails: Error | undefined;

  constructor(name: string) {
    this.name = name;
  }

  async count(_scope: ConnectionScope, signal?: AbortSignal) {
    this.asked++;
    if (this.holds) await new Promise<void>((resolve) => this.waiting.push(resolve));
    signal?.throwIfAborted();
    if (this.fails !== undefined) throw this.fails;
    return { count: this.members.size, version: [...this.members.keys()].join() };
  }

  async page(_scope: ConnectionScope, size: number, cursor = '0') {
    this.listed++;
    const from = Number(cursor);
    const all = [...this.members].map(([connectionId, userId]) => ({ connectionId, userId }));
    const next = from + size < all.length ? String(from + size) : undefined;
    return { members: all.slice(from, from + size), cursor: next };
  }
}

function setUp(options = {}, names = ['one']) {
  const services = names.map((name) => new HeldDirectory(name));
  const clock = new ManualClock();
  const logger = new Log();
  const online = new Set(names);
  const directories: Directories = {
    about: () => services.filter(({ name }) => online.has(name)),
    clock,
    logger,
    watches: new Watches(),
  };
  const presence = new Presence(directories, 'room', options);
  atEnd(async () => presence.stop());
  const told: string[] = [];
  presence.on('join', ({ connectionId, userId }) => void told.push(`+${connectionId} ${userId}`));
  presence.on('leave', ({ connectionId }) => void told.push(`-${connectionId}`));
  /** Lets the next look happen, and answers what listeners were told at it. */
  const look = async () => {
    await until(() => clock.pending.length === 1, 'the end of a look');
    const before = told.length;
    const asked = services.reduce((sum, service) => sum + service.asked, 0);
    clock.advance(1_000);
    await until(() => clock.pending.length === 1, 'the end of the next look');
    expect(services.reduce((sum, service) => sum + service.asked, 0)).toBeGreaterThan(asked);
    return told.slice(before);
  };
  const started = async () => {
    presence.start();
    await until(() => clock.pending.length === 1, 'the end of the first look');
  };
  return { services, service: services[0]!, clock, logger, online, presence, told, look, started };
}

describe('a group that is watched', () => {
  test('tells who is there, and then who joins and leaves', async () => {
    const { service, presence, told, look, started } = setUp();
    service.members.set('a', 'ann').set('b', 'ben');
    await started();
    expect(told).toEqual(['+a ann', '+b ben']);
    service.members.delete('a');
    service.members.set('c', 'cid');
    expect(await look()).toEqual(['-a', '+c cid']);
    expect(presence.members.map(({ connectionId }) => connectionId)).toEqual(['b', 'c']);
  });

  test('is listed only where its version has changed, and then page by page', async () => {
    const { service, look, started } = setUp();
    for (let n = 0; n < 450; n++) service.members.set(`c${n}`, 'u');
    await started();
    expect(service.listed).toBe(3);
    expect(await look()).toEqual([]);
    expect(await look()).toEqual([]);
    expect([service.asked, service.listed]).toEqual([3, 3]);
    service.members.delete('c7');
    expect(await look()).toEqual(['-c7']);
    expect(service.listed).toBe(6);
  });

  test('is looked at once at a time, however long a look takes', async () => {
    const { service, clock, started, presence } = setUp();
    await started();
    service.holds = true;
    clock.advance(60_000);
    await until(() => service.waiting.length === 1, 'a look');
    expect(clock.pending).toEqual([]);
    expect(service.asked).toBe(2);
    service.waiting[0]!();
    await until(() => clock.pending.length === 1, 'its end');
    expect(clock.pending).toEqual([1_000]);
    presence.stop();
    expect(clock.pending).toEqual([]);
  });

  test('is not listened to any more once it is stopped, by a listener as well', async () => {
    const { service, clock, presence, told, started } = setUp();
    service.members.set('a', 'ann').set('b', 'ben');
    presence.on('join', () => presence.stop());
    presence.start();
    await until(() => told.length === 1, 'somebody there');
    await new Promise(setImmediate);
    expect([told, clock.pending, presence.members]).toEqual([['+a ann'], [], []]);
    presence.removeAllListeners();
    service.holds = true;
    presence.start();
    presence.start();
    presence.stop();
    service.waiting[0]!();
    await new Promise(setImmediate);
    expect([service.asked, clock.pending]).toEqual([2, []]);
    // It begins from nobody.
    service.holds = false;
    presence.on('join', ({ connectionId }) => void told.push(connectionId));
    await started();
    expect(told).toEqual(['+a ann', 'a', 'b']);
  });

  test('of several endpoints is told of at each, whatever the others do', async () => {
    const { services, online, presence, look, started, logger } = setUp({}, ['one', 'two']);
    const [one, two] = services as [HeldDirectory, HeldDirectory];
    one.members.set('a', 'ann');
    two.members.set('b', 'ben');
    await started();
    two.fails = new Error('gone for a walk');
    one.members.set('c', 'cid');
    two.members.clear();
    expect(await look()).toEqual(['+c cid']);
    expect(presence.members).toHaveLength(3);
    two.fails = undefined;
    expect(await look()).toEqual(['-b']);
    online.delete('two');
    expect(await look()).toEqual([]);
    expect(logger.lines).toEqual([
      "presence of group 'room': who is in it cannot be seen: gone for a walk",
      "presence of group 'room': who is in it cannot be seen: endpoint 'two' is not connected",
    ]);
  });

  test('says what fails once, until it works again, and breaks nothing', async () => {
    const { service, presence, look, logger, started } = setUp();
    const errors: string[] = [];
    presence.on('error', ({ message }) => void errors.push(message));
    presence.on('join', () => {
      throw new Error('a listener');
    });
    service.fails = new Error('no');
    await started();
    await look();
    expect(errors).toEqual(['no']);
    service.fails = undefined;
    service.members.set('a', 'ann').set('b', 'ben');
    expect(await look()).toEqual(['+a ann', '+b ben']);
    service.fails = new Error('again');
    await look();
    expect(errors).toEqual(['no', 'again']);
    expect(logger.lines).toEqual(
      Array(2).fill("presence of group 'room': a listener of 'join' threw: a listener"),
    );
  });

  test('is followed as far as it may have members', async () => {
    const { service, presence, look, logger, started } = setUp({ maximumMembers: 2 });
    for (const id of ['a', 'b', 'c']) service.members.set(id, 'u');
    await started();
    expect(service.listed).toBe(0);
    expect(logger.lines).toEqual([
      expect.stringContaining('the group has more than 2 connections (maximumMembers)'),
    ]);
    service.members.delete('a');
    expect(await look()).toEqual(['+b u', '+c u']);
    presence.stop();
  });
});

class Chat extends Hub {}

async function managed() {
  const service = await FakeRestService.start();
  atEnd(() => service.stop());
  const clock = new ManualClock();
  const { connectionString } = service;
  const hub = new Manager({ connectionString }, clock, () => 0).hub('chat');
  return { service, clock, hub };
}

async function ids(list: AsyncIterable<{ connectionId: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { connectionId } of list) found.push(connectionId);
  return found;
}

describe('connections', () => {
  test('of a hub, a group and a user are counted and listed by REST', async () => {
    const { service, hub } = await managed();
    for (const id of ['a', 'b', 'c']) service.connect(id, id === 'c' ? 'cid' : 'ann');
    await hub.groups.add('b', 'r/1');
    expect(await hub.connections.count()).toBe(3);
    expect(await hub.connections.count({ group: 'r/1' })).toBe(1);
    expect(await hub.connections.count({ userId: 'ann' })).toBe(2);
    expect(await ids(hub.connections.list())).toEqual(['a', 'b', 'c']);
    expect(await ids(hub.connections.list({ top: 2 }))).toEqual(['a', 'b']);
    expect(await ids(hub.connections.list({ group: 'r/1' }))).toEqual(['b']);
    expect(await ids(hub.connections.list({ userId: 'cid' }))).toEqual(['c']);
    const room = hub.presence('r/1');
    expect([await room.count(), await ids(room.list())]).toEqual([1, ['b']]);
    await expect(hub.connections.count({ group: 'g', userId: 'u' })).rejects.toThrow(
      'give group or userId, not both',
    );
  });

  test('come in pages of 200', async () => {
    const { service, hub } = await managed();
    for (let n = 100; n < 350; n++) service.connect(`c${n}`);
    expect(await ids(hub.connections.list())).toHaveLength(250);
    expect(service.calls.map(({ url }) => /top=\d+(&cursor=\w+)?/.exec(url)?.[0])).toEqual([
      'top=200',
      'top=200&cursor=c299',
    ]);
  });

  test('of a service that does not tell are refused', async () => {
    const { service, hub } = await managed();
    service.instead.push({ status: 404 });
    await expect(hub.connections.count()).rejects.toMatchObject({ code: 'refused' });
  });
});

test('a manager watches a group until it is stopped', async () => {
  const { service, clock, hub } = await managed();
  service.connect('a', 'ann');
  await hub.groups.add('a', 'room');
  const room = hub.presence('room', { interval: 50 });
  const told: string[] = [];
  room.on('join', ({ connectionId }) => void told.push(`+${connectionId}`));
  room.on('leave', ({ connectionId }) => void told.push(`-${connectionId}`));
  room.start();
  await until(() => clock.pending.includes(50), 'the end of the first look');
  service.connections.delete('a');
  clock.advance(50);
  await until(() => told.length === 2, 'a leave');
  expect(told).toEqual(['+a', '-a']);
  room.stop();
  expect(clock.pending).toEqual([]);
});

test('a server that stops ends what it watches, and starts no more of it', async () => {
  const clock = new ManualClock();
  const { server, hub } = await serve(Chat, { clock });
  const room = hub.presence('room');
  const later = hub.presence('room');
  room.on('error', () => {});
  room.start();
  await passing(clock, server.stop({ timeout: 0 }));
  expect(clock.pending).toEqual([]);
  expect(() => later.start()).toThrow('the server has been stopped');
});
