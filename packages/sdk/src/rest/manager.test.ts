import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { AccessKeys, verifyToken } from '@trunkline/tokens';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { HubError } from '../errors.ts';
import { TEST_KEY, until } from '../fake-service.test-support.ts';
import { atEnd } from '../harness.test-support.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import { FakeRestService } from './fake-rest-service.test-support.ts';
import { createManager, Manager } from './manager.ts';

interface ChatClient {
  message(user: string, text: string): void;
  confirm(question: string): boolean;
}

async function setUp() {
  const service = await FakeRestService.start();
  atEnd(() => service.stop());
  const { connectionString } = service;
  const clock = new ManualClock();
  const manager = new Manager({ connectionString }, clock, () => 0);
  return { service, clock, manager, hub: manager.hub<ChatClient>('Chat') };
}

/** Method and URL of every call, without the version that all name. */
function urls({ calls }: FakeRestService): string[] {
  return calls.map(({ method, url }) => {
    expect(url).toMatch(/[?&]api-version=2024-12-01$/);
    return `${method} ${url.replace(/[?&]api-version=.*$/, '')}`;
  });
}

describe('what is sent', () => {
  test('is posted to whom it is for', async () => {
    const { service, hub } = await setUp();
    const { clients } = hub;
    await clients.all.message('u', 't');
    await clients.allExcept(['a', 'b&c']).message('u', 't');
    await clients.client('x/y').message('u', 't');
    await clients.group(':send').message('u', 't');
    await clients.groupExcept('g h', 'a').message('u', 't');
    await clients.user('é@+').message('u', 't');
    expect(urls(service)).toEqual([
      'POST /api/hubs/chat/:send',
      'POST /api/hubs/chat/:send?excluded=a&excluded=b%26c',
      'POST /api/hubs/chat/connections/x%2Fy/:send',
      'POST /api/hubs/chat/groups/%3Asend/:send',
      'POST /api/hubs/chat/groups/g%20h/:send?excluded=a',
      'POST /api/hubs/chat/users/%C3%A9%40%2B/:send',
    ]);
    const { headers, body } = service.calls[0]!;
    expect(JSON.parse(body)).toEqual({ target: 'message', arguments: ['u', 't'] });
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['asrs-user-agent']).toMatch(/^trunkline-sdk\//);
  });

  test('is posted once for each of several, and not at all for none', async () => {
    const { service, hub } = await setUp();
    await hub.clients.clients(['a', 'b']).message('u', 't');
    await hub.clients.groups(['g', 'h']).message('u', 't');
    await hub.clients.users(['v', 'w']).message('u', 't');
    expect(urls(service).sort()).toEqual([
      'POST /api/hubs/chat/connections/a/:send',
      'POST /api/hubs/chat/connections/b/:send',
      'POST /api/hubs/chat/groups/g/:send',
      'POST /api/hubs/chat/groups/h/:send',
      'POST /api/hubs/chat/users/v/:send',
      'POST /api/hubs/chat/users/w/:send',
    ]);
    await hub.clients.users([]).message('u', 't');
    expect(service.calls).toHaveLength(6);
  });

  test('is posted to sixteen of them at a time', async () => {
    const { service, hub } = await setUp();
    const users = Array.from({ length: 40 }, (_, at) => `u${at}`);
    const release = service.holdBack();
    const sent = hub.clients.users(users).message('u', 't');
    await until(() => service.calls.length === 16, 'the first');
    const behind = hub.userExists('z');
    await until(() => urls(service).includes('HEAD /api/hubs/chat/users/z'), 'what comes behind');
    expect(service.calls).toHaveLength(17);
    release();
    await sent;
    expect(await behind).toBe(false);
    expect(new Set(urls(service)).size).toBe(41);
  });

  test('ends with the first of them that fails', async () => {
    const { service, hub } = await setUp();
    const users = Array.from({ length: 40 }, (_, at) => `u${at}`);
    service.instead.push({ status: 400 });
    await expect(hub.clients.users(users).message('u', 't')).rejects.toMatchObject({
      code: 'refused',
    });
    await hub.userExists('z');
    expect(service.calls.length).toBeLessThan(40);
  });

  test('has bytes as base64 text, and null for nothing', async () => {
    const { service, manager } = await setUp();
    await manager.hub('chat').clients.all.send('m', new Uint8Array([0, 255]), undefined, [true]);
    expect(JSON.parse(service.calls[0]!.body)).toEqual({
      target: 'm',
      arguments: ['AP8=', null, [true]],
    });
  });

  test('rejects for names that no URL can hold, and calls nobody', async () => {
    const { service, hub } = await setUp();
    for (const name of ['', '.', '..']) {
      await expect(hub.clients.user(name).message('u', 't')).rejects.toThrow(TypeError);
      await expect(hub.userExists(name)).rejects.toThrow(TypeError);
    }
    expect(service.calls).toEqual([]);
  });

  test('is signed for its own path, whatever is in it', async () => {
    const { service, hub } = await setUp();
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((one) => !/^\.+$/.test(one));
    await fc.assert(
      fc.asyncProperty(name, async (group) => {
        service.connect('c');
        await hub.groups.add('c', group);
        expect(service.members(group)).toEqual(['c']);
      }),
      { numRuns: 30 },
    );
  });
});

test('what nobody awaits may fail without ending the process', async () => {
  const { service, hub } = await setUp();
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  void hub.groups.add('c', '..');
  void hub.groups.remove('c', '..');
  void hub.groups.removeFromAll('..');
  void hub.userGroups.add('u', '..');
  void hub.userGroups.add('u', 'g', { ttl: -1 });
  void hub.userGroups.remove('u', '..');
  void hub.userGroups.removeFromAll('..');
  void hub.closeConnection('..');
  void hub.closeGroup('..');
  void hub.closeUser('..');
  void hub.closeAll({ reason: 1 as never });
  void hub.clients.groups(['g', '..']).message('u', 't');
  await new Promise(setImmediate);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
  expect(service.calls).toEqual([]);
});

describe('connections, groups and users', () => {
  test('exist or not', async () => {
    const { service, hub } = await setUp();
    service.connect('c', 'u');
    await hub.groups.add('c', 'g');
    await hub.userGroups.add('u', 'g');
    expect(await hub.connectionExists('c')).toBe(true);
    expect(await hub.groupExists('g')).toBe(true);
    expect(await hub.userExists('u')).toBe(true);
    expect(await hub.userGroups.has('u', 'g')).toBe(true);
    expect(await hub.connectionExists('d')).toBe(false);
    expect(await hub.groupExists('h')).toBe(false);
    expect(await hub.userExists('v')).toBe(false);
    expect(await hub.userGroups.has('u', 'h')).toBe(false);
    expect(urls(service).slice(2, 6)).toEqual([
      'HEAD /api/hubs/chat/connections/c',
      'HEAD /api/hubs/chat/groups/g',
      'HEAD /api/hubs/chat/users/u',
      'HEAD /api/hubs/chat/users/u/groups/g',
    ]);
  });

  test('join and leave groups; unknown connections are no error', async () => {
    const { service, hub } = await setUp();
    service.connect('c');
    await hub.groups.add('c', 'g');
    await hub.groups.add('c', 'h');
    expect(service.members('g')).toEqual(['c']);
    await hub.groups.remove('c', 'g');
    expect(service.members('g')).toEqual([]);
    await hub.groups.removeFromAll('c');
    expect(service.members('h')).toEqual([]);
    await hub.groups.add('nobody', 'g');
    await hub.groups.remove('nobody', 'g');
    expect(urls(service)).toContain('DELETE /api/hubs/chat/connections/c/groups');
  });

  test('users join and leave groups', async () => {
    const { service, hub } = await setUp();
    await hub.userGroups.add('u', 'g', { ttl: 60 });
    await hub.userGroups.add('u', 'h', { ttl: 0 });
    await hub.userGroups.remove('u', 'g');
    expect([...service.userGroups]).toEqual(['u/h']);
    await hub.userGroups.removeFromAll('u');
    expect([...service.userGroups]).toEqual([]);
    expect(urls(service)).toEqual([
      'PUT /api/hubs/chat/users/u/groups/g?ttl=60',
      'PUT /api/hubs/chat/users/u/groups/h?ttl=0',
      'DELETE /api/hubs/chat/users/u/groups/g',
      'DELETE /api/hubs/chat/users/u/groups',
    ]);
    for (const ttl of [-1, 1.5, NaN]) {
      await expect(hub.userGroups.add('u', 'g', { ttl })).rejects.toMatchObject({
        code: 'bad-options',
      });
    }
  });

  test('are closed', async () => {
    const { service, hub } = await setUp();
    for (const id of ['a', 'b', 'c', 'd']) service.connect(id, id === 'd' ? 'u' : undefined);
    await hub.closeConnection('a', { reason: 'no more' });
    await hub.closeConnection('nobody');
    await hub.groups.add('b', 'g');
    await hub.closeGroup('g', { reason: 'over' });
    expect([...service.connections.keys()]).toEqual(['c', 'd']);
    await hub.closeUser('u');
    expect([...service.connections.keys()]).toEqual(['c']);
    await hub.closeAll({ except: ['c', 'x'], reason: 'all' });
    expect([...service.connections.keys()]).toEqual(['c']);
    await hub.closeAll();
    expect(service.connections.size).toBe(0);
    expect(urls(service).filter((one) => !one.startsWith('PUT'))).toEqual([
      'DELETE /api/hubs/chat/connections/a?reason=no%20more',
      'DELETE /api/hubs/chat/connections/nobody',
      'POST /api/hubs/chat/groups/g/:closeConnections?reason=over',
      'POST /api/hubs/chat/users/u/:closeConnections',
      'POST /api/hubs/chat/:closeConnections?excluded=c&excluded=x&reason=all',
      'POST /api/hubs/chat/:closeConnections',
    ]);
  });

  test('of a group are listed, page by page', async () => {
    const { service, hub } = await setUp();
    const ids = Array.from({ length: 450 }, (_, at) => `c${1000 + at}`);
    for (const id of ids) {
      service.connect(id, id === 'c1000' ? 'u' : undefined);
      service.connections.get(id)!.groups.add('g');
    }
    const listed = async (top?: number) => {
      const found = [];
      const options = top === undefined ? {} : { top };
      for await (const one of hub.groups.connections('g', options)) found.push(one);
      return found;
    };
    const all = await listed();
    expect(all.map(({ connectionId }) => connectionId)).toEqual(ids);
    expect(all.slice(0, 2)).toEqual([
      { connectionId: 'c1000', userId: 'u' },
      { connectionId: 'c1001' },
    ]);
    expect(service.calls).toHaveLength(3);
    expect(await listed(250)).toHaveLength(250);
    expect(service.calls).toHaveLength(5);
    expect(await listed(0)).toEqual([]);
    expect(service.calls).toHaveLength(5);
    const first = await hub.groups.page('g', { size: 150 });
    expect(first.members.map(({ connectionId }) => connectionId)).toEqual(ids.slice(0, 150));
    const { continuationToken } = first;
    const second = await hub.groups.page('g', { continuationToken });
    expect(second.members.map(({ connectionId }) => connectionId)).toEqual(ids.slice(150, 350));
    const token = { continuationToken: second.continuationToken };
    expect(await hub.groups.page('g', token)).toMatchObject({ continuationToken: undefined });
    await expect(hub.groups.page('g', { size: 0 })).rejects.toThrow('size takes');
  });
});

describe("a client's result", () => {
  const framed = (message: object) => `${JSON.stringify(message)}\x1e`;

  test.each<[string, FakeRestService['invocation'], unknown]>([
    ['in JSON', { status: 200, json: { result: true } }, true],
    [
      'as it wrote it',
      {
        status: 200,
        headers: { 'x-asrs-protocol': 'json', 'content-type': 'application/json' },
        body: framed({ type: 3, invocationId: 'x', result: [1] }),
      },
      [1],
    ],
  ])('comes %s', async (_how, invocation, result) => {
    const { service, hub } = await setUp();
    service.connect('c');
    service.invocation = invocation;
    expect(await hub.clients.client('c').invoke().confirm('sure?')).toEqual(result);
    expect(urls(service)).toEqual(['POST /api/hubs/chat/connections/c/:invoke']);
  });

  test.each<[string, FakeRestService['invocation']]>([
    ['in JSON', { status: 200, json: { error: 'boom' } }],
    [
      'as it wrote it',
      {
        status: 200,
        headers: { 'x-protocol': 'json' },
        body: framed({ type: 3, invocationId: 'x', error: 'boom' }),
      },
    ],
  ])('may be an error, %s', async (_how, invocation) => {
    const { service, hub } = await setUp();
    service.connect('c');
    service.invocation = invocation;
    const answer = hub.clients.client('c').invoke().confirm('sure?');
    await expect(answer).rejects.toEqual(new HubError('boom'));
  });

  test('never comes from a client that is not there', async () => {
    const { hub } = await setUp();
    const answer = hub.clients.client('c').invoke().confirm('sure?');
    await expect(answer).rejects.toMatchObject({ code: 'client-gone' });
  });

  test('ends with its signal, and with its own timeout', async () => {
    const { service, clock, hub } = await setUp();
    service.instead.push({ status: 503, headers: { 'retry-after': '20' } });
    const ended = new AbortController();
    const answer = hub.clients.client('c').invoke({ signal: ended.signal }).confirm('sure?');
    await until(() => clock.pending.includes(20_000), 'the wait');
    ended.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
    expect(clock.pending).toEqual([]);
    service.instead.push({ status: 503, headers: { 'retry-after': '20' } });
    const short = hub.clients.client('c').invoke({ timeout: 5000 }).confirm('sure?');
    await expect(short).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('what goes wrong', () => {
  test.each<[number, object, string, RegExp]>([
    [
      400,
      { json: { code: 'X', message: 'bad hub' } },
      'refused',
      /:send was answered 400: bad hub$/,
    ],
    [400, { body: 'plain' }, 'refused', /answered 400: plain$/],
    [401, { headers: { 'www-authenticate': 'Bearer e' } }, 'unauthorized', /401: Bearer e$/],
    [403, {}, 'unauthorized', /answered 403$/],
    [404, {}, 'refused', /answered 404$/],
    [302, { headers: { location: '/' } }, 'refused', /answered 302$/],
    [500, {}, 'unavailable', /answered 500$/],
    [502, {}, 'unavailable', /answered 502$/],
  ])('%i ends a message at once (%#)', async (status, more, code, why) => {
    const { service, clock, hub } = await setUp();
    service.instead.push({ status, ...more });
    const sent = hub.clients.all.message('u', 't');
    await expect(sent).rejects.toMatchObject({ code, message: expect.stringMatching(why) });
    expect(service.calls).toHaveLength(1);
    expect(clock.pending).toEqual([]);
  });

  test('a key that the service does not know', async () => {
    const { service } = await setUp();
    const connectionString = service.connectionString.replace(TEST_KEY, 'x'.repeat(40));
    const { clients } = createManager({ connectionString }).hub('chat');
    await expect(clients.all.send('m')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('404 without the code that says so is no answer to a question', async () => {
    const { service, hub } = await setUp();
    service.instead.push({ status: 404 }, { status: 404, code: 'Warning.User.NotExisted' });
    await expect(hub.groupExists('g')).rejects.toMatchObject({ code: 'refused' });
    await expect(hub.groupExists('g')).rejects.toMatchObject({ code: 'refused' });
  });

  test.each([429, 503])('%i is tried again when the service says', async (status) => {
    const { service, clock, hub } = await setUp();
    const date = new Date(Date.now() + 8_500).toUTCString();
    service.instead.push({ status, headers: { 'retry-after': '7' } });
    service.instead.push({ status, headers: { 'retry-after': date } }, { status });
    const sent = hub.clients.all.message('u', 't');
    await until(() => clock.pending.includes(7000), 'the first wait');
    clock.advance(7000);
    const seconds = (wait: number) => wait > 5000 && wait <= 8500;
    clock.advance(await until(() => clock.pending.find(seconds), 'the second'));
    await until(() => clock.pending.includes(3200), 'the third, its own');
    clock.advance(3200);
    await sent;
    expect(service.calls).toHaveLength(4);
    expect(new Set(service.calls.map(({ body }) => body)).size).toBe(1);
    expect(clock.pending).toEqual([]);
  });

  test('what may be done twice is tried again in other cases, too', async () => {
    const { service, clock, hub } = await setUp();
    service.instead.push({ status: 500 }, { status: 408 }, null);
    const asked = hub.userExists('u');
    for (const wait of [800, 1600, 3200]) {
      await until(() => clock.pending.includes(wait), 'a wait');
      clock.advance(wait);
    }
    expect(await asked).toBe(false);
  });

  test('a message that may have arrived is not sent again', async () => {
    const { service, clock, hub } = await setUp();
    service.instead.push(null);
    const sent = hub.clients.all.message('u', 't');
    await expect(sent).rejects.toMatchObject({ code: 'unavailable' });
    expect(clock.pending).toEqual([]);
  });

  test('a message that cannot have arrived is', async () => {
    const { service, clock, hub } = await setUp();
    await service.stop();
    const sent = hub.clients.all.message('u', 't').catch((error: unknown) => error);
    for (const wait of [800, 1600, 3200, 6400, 12_800]) {
      await until(() => clock.pending.includes(wait), 'a wait');
      clock.advance(wait);
    }
    const error = await sent;
    expect(error).toMatchObject({ code: 'unavailable' });
    expect((error as Error).message).toMatch(/:send failed: connect ECONNREFUSED/);
  });

  test('a wait past the end of the time is not begun', async () => {
    const { service, clock, hub } = await setUp();
    service.instead.push({ status: 429, headers: { 'retry-after': '31' } });
    await expect(hub.userExists('u')).rejects.toMatchObject({ code: 'throttled' });
    expect(clock.pending).toEqual([]);
  });

  test('a service that does not answer', async () => {
    const clock = new ManualClock();
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    atEnd(async () => silent.close());
    const { port } = silent.address() as AddressInfo;
    const connectionString = `Endpoint=http://127.0.0.1:${port};AccessKey=${TEST_KEY};`;
    const { clients } = new Manager({ connectionString, timeout: 5000 }, clock).hub('chat');
    const sent = clients.all.send('m');
    await until(() => clock.pending.includes(5000), 'the deadline');
    clock.advance(5000);
    await expect(sent).rejects.toThrow(/:send failed: no answer within 5000 ms/);
  });
});

test('negotiate tells a client where to go, and signs it in', async () => {
  const { service, hub } = await setUp();
  const { url, accessToken } = hub.negotiate({
    userId: 'u',
    claims: { role: ['a', 'b'] },
    expiresAt: new Date(1_900_000_000_000),
    transports: ['WebSockets'],
  });
  expect(url).toBe(`${service.url}/client/?hub=chat`);
  const keys = new AccessKeys([TEST_KEY]);
  const token = verifyToken(accessToken, {
    keys,
    now: Date.now() / 1000,
    use: 'client',
    hub: 'chat',
  });
  if (typeof token === 'string') throw new Error(token);
  const claims = JSON.parse(token.payload) as object;
  expect(claims).toMatchObject({
    'asrs.s.uid': 'u',
    role: ['a', 'b'],
    'asrs.s.htt': '1',
    'asrs.s.aeo': '1900000000',
  });
  expect(service.calls).toEqual([]);
});

test('a service is healthy or not', async () => {
  const { service, manager } = await setUp();
  expect(await manager.isHealthy()).toBe(true);
  service.instead.push({ status: 503 });
  expect(await manager.isHealthy()).toBe(false);
  expect(service.calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'HEAD /api/health?api-version=2024-12-01',
    'HEAD /api/health?api-version=2024-12-01',
  ]);
  await service.stop();
  expect(await manager.isHealthy()).toBe(false);
});

test('options that cannot work are refused', () => {
  const connectionString = `Endpoint=http://x;AccessKey=${TEST_KEY}`;
  expect(() => createManager({ connectionString, timeout: 0 })).toThrow(/timeout/);
  expect(() => createManager({ connectionString: 'x' })).toThrow(/connection string/);
  expect(() => createManager({ connectionString }).hub('/chat')).toThrow(/no hub name/);
});
