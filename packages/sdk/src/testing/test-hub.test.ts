import { afterEach, expect, expectTypeOf, test } from 'vitest';

import { HubError } from '../errors.ts';
import { Hub } from '../hubs/hub.ts';
import type { HubMethods } from '../hubs/hub-methods.ts';
import { testHub } from './index.ts';
import type { TestHub, TestHubOptions } from './index.ts';

interface RoomClient {
  said(user: string, text: string): void;
  confirm(question: string): boolean;
}

/** What hooks have noted. */
const left: unknown[] = [];

class Room extends Hub<RoomClient> {
  static readonly methods = {
    say: {},
    everyWay: {},
    whoAmI: {},
    refuse: {},
    ask: {},
    count: {},
    sum: { uploads: 1 },
    abort: {},
  } as const satisfies HubMethods<Room>;

  override async onConnected(): Promise<void> {
    if (this.context.query.get('refuse') === 'yes') throw new HubError('not you');
    await this.groups.add(this.context.connectionId, this.context.query.get('room') ?? 'lobby');
  }

  override onDisconnected(error?: Error): void {
    left.push([this.context.userIdentifier, error?.message]);
  }

  override onAuthenticationRefresh(): void {
    left.push(`${this.context.userIdentifier} is ${String(this.context.claims['role'])}`);
  }

  async say(room: string, text: string): Promise<void> {
    await this.clients.group(room).said(this.context.userIdentifier ?? '', text);
  }

  async everyWay(other: string): Promise<void> {
    const { clients } = this;
    await clients.all.said('all', '');
    await clients.caller.said('caller', '');
    await clients.others.said('others', '');
    await clients.othersInGroup('lobby').said('othersInGroup', '');
    await clients.clients([other]).said('clients', '');
    await clients.groups(['lobby', 'bar']).said('groups', '');
    await clients.users(['bob']).said('users', '');
  }

  whoAmI() {
    const { userIdentifier, claims, headers } = this.context;
    return { userIdentifier, role: claims['role'], agent: headers['user-agent'] };
  }

  refuse(): never {
    throw new HubError('never');
  }

  async ask(id: string): Promise<boolean> {
    return this.clients.client(id).invoke({ timeout: 5000 }).confirm('sure?');
  }

  async *count(from: number): AsyncGenerator<number> {
    try {
      while (from > 0) yield from--;
    } finally {
      left.push(`stopped at ${from}`);
    }
  }

  async sum(first: number, rest: AsyncIterable<number>): Promise<number> {
    for await (const number of rest) first += number;
    return first;
  }

  abort(): void {
    this.context.abort();
  }
}

const hubs: TestHub<typeof Room, RoomClient>[] = [];

async function room(options: TestHubOptions = {}): Promise<TestHub<typeof Room, RoomClient>> {
  const logger = { info() {}, warn() {}, error() {} };
  const hub = await testHub(Room, { server: { logger }, ...options });
  hubs.push(hub);
  return hub;
}

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.stop();
  left.length = 0;
});

async function* numbers(): AsyncGenerator<number> {
  yield* [1, 2, 3];
}

test('groups, and what is recorded of a send', async () => {
  const hub = await room();
  const [ada, bob] = [await hub.connect({ userId: 'ada' }), await hub.connect({ userId: 'bob' })];
  const eve = await hub.connect({ query: { room: 'bar' } });
  await ada.invoke('say', 'lobby', 'hello');
  expect(hub.sent).toEqual([
    { kind: 'groups', names: ['lobby'], except: [], method: 'said', args: ['ada', 'hello'] },
  ]);
  expect(bob.received).toEqual([{ method: 'said', args: ['ada', 'hello'] }]);
  expect(ada.received).toEqual(bob.received);
  expect(eve.received).toEqual([]);
});

test('everybody whom a send can be for', async () => {
  const hub = await room();
  const [ada, bob] = [await hub.connect({ userId: 'ada' }), await hub.connect({ userId: 'bob' })];
  await ada.invoke('everyWay', bob.id);
  expect(
    hub.sent.map(({ kind, except, ...to }) => [kind, 'names' in to && to.names, except]),
  ).toEqual([
    ['all', false, []],
    ['connections', [ada.id], []],
    ['all', false, [ada.id]],
    ['groups', ['lobby'], [ada.id]],
    ['connections', [bob.id], []],
    ['groups', ['lobby', 'bar'], []],
    ['users', ['bob'], []],
  ]);
  const to = ({ received }: typeof ada) => received.map(({ args: [which] }) => which);
  expect(to(ada)).toEqual(['all', 'caller', 'groups']);
  expect(to(bob)).toEqual(['all', 'others', 'othersInGroup', 'clients', 'groups', 'users']);
});

test('from outside the hub', async () => {
  const hub = await room();
  const ada = await hub.connect();
  await hub.handle.groups.remove(ada.id, 'lobby');
  await hub.handle.clients.group('lobby').said('system', 'nobody');
  await hub.handle.clients.all.said('system', 'all');
  expect(await ada.next()).toEqual({ method: 'said', args: ['system', 'all'] });
  const another = ada.next();
  ada.stop();
  await expect(another).rejects.toThrow('closed before the message');
});

test('closes from outside, of connections, users, groups and all, with a reason', async () => {
  const hub = await room();
  const [one, ada, ada2, bob, eve] = await Promise.all(
    ['one', 'ada', 'ada', 'bob', 'eve'].map((userId) => hub.connect({ userId })),
  );
  await hub.handle.closeConnection(one!.id, { reason: 'one goes' });
  expect(await one!.closed).toEqual({ error: 'one goes', allowReconnect: false });
  await hub.handle.closeConnection('nobody');
  await hub.handle.closeUser('ada', { reason: 'ada goes', except: ada2!.id });
  expect((await ada!.closed).error).toBe('ada goes');
  expect(await hub.handle.connectionExists(ada2!.id)).toBe(true);
  await hub.handle.groups.remove(eve!.id, 'lobby');
  await hub.handle.closeGroup('lobby');
  expect(await bob!.closed).toEqual({ error: undefined, allowReconnect: false });
  expect(await hub.handle.connectionExists(ada2!.id)).toBe(false);
  await expect(bob!.invoke('whoAmI')).rejects.toThrow('the connection was closed');
  await hub.handle.closeAll({ reason: 'all go' });
  expect((await eve!.closed).error).toBe('all go');
  await expect.poll(() => left).toHaveLength(5);
});

test('abort from outside ends it here too', async () => {
  const hub = await room();
  const ada = await hub.connect({ userId: 'ada' });
  hub.handle.abort(ada.id);
  expect(await ada.closed).toEqual({ error: undefined, allowReconnect: false });
  await expect.poll(() => left).toEqual([['ada', undefined]]);
});

test('what there is, and who is in a group', async () => {
  const hub = await room();
  const { handle } = hub;
  const [ada, bob, eve] = [
    await hub.connect({ userId: 'ada' }),
    await hub.connect({ userId: 'bob' }),
    await hub.connect(),
  ];
  expect(await handle.connectionExists(ada.id)).toBe(true);
  expect(await handle.userExists('ada')).toBe(true);
  expect(await handle.userExists('nobody')).toBe(false);
  expect(await handle.groupExists('lobby')).toBe(true);
  expect(await handle.groupExists('bar')).toBe(false);
  const first = await handle.groups.page('lobby', { size: 2 });
  expect(first.members).toEqual([
    { connectionId: ada.id, userId: 'ada' },
    { connectionId: bob.id, userId: 'bob' },
  ]);
  const { continuationToken } = first;
  expect(await handle.groups.page('lobby', { size: 2, continuationToken })).toEqual({
    members: [{ connectionId: eve.id }],
    continuationToken: undefined,
  });
  for (const { id } of [ada, bob, eve]) await handle.groups.removeFromAll(id);
  expect(await handle.groupExists('lobby')).toBe(false);
});

test('groups of users, of now and of later', async () => {
  const hub = await room();
  const { userGroups, clients } = hub.handle;
  const now = await hub.connect({ userId: 'ada' });
  await userGroups.add('ada', 'now', { ttl: 0 });
  await userGroups.add('ada', 'kept', { ttl: 60 });
  await userGroups.add('bob', 'kept');
  const [later, bob] = [await hub.connect({ userId: 'ada' }), await hub.connect({ userId: 'bob' })];
  await clients.group('now').said('now', '');
  await clients.group('kept').said('kept', '');
  const to = async (client: typeof now) => (await client.next()).args[0];
  expect([await to(now), await to(now), await to(later), await to(bob)]).toEqual([
    'now',
    'kept',
    'kept',
    'kept',
  ]);
  expect(await userGroups.has('ada', 'kept')).toBe(true);
  await userGroups.remove('ada', 'kept');
  expect(await userGroups.has('ada', 'kept')).toBe(false);
  await userGroups.removeFromAll('bob');
  await hub.connect({ userId: 'bob' });
  expect(await hub.handle.groupExists('kept')).toBe(false);
});

test('a client signs in anew, as the same user', async () => {
  const hub = await room({ authorize: ({ claims }) => claims['role'] !== 'banned' });
  const ada = await hub.connect({ userId: 'ada', claims: { role: 'reader' } });
  await hub.signInAnew(ada, { role: 'reader' });
  expect(left).toEqual([]);
  await hub.signInAnew(ada, { role: 'writer' });
  expect((await ada.invoke('whoAmI')).role).toBe('writer');
  expect(left).toEqual(['ada is writer']);
  await expect(hub.signInAnew(ada, { role: 'banned' })).rejects.toThrow(
    'refresh: 403 {"error":"permission_change_rejected"}',
  );
  ada.stop();
  await expect(hub.signInAnew(ada, { role: 'reader' })).rejects.toThrow('connection_not_found');
  await expect(hub.signInAnew(await hub.connect(), {})).rejects.toThrow('401');
});

test('identity comes as it does from a token', async () => {
  const hub = await room();
  const claims = { role: ['admin', 'author'] };
  const ada = await hub.connect({ userId: 'ada', claims, headers: { 'User-Agent': 'test' } });
  expect(await ada.invoke('whoAmI')).toEqual({
    userIdentifier: 'ada',
    role: ['admin', 'author'],
    agent: 'test',
  });
});

test('errors are those that a client reads', async () => {
  const ada = await (await room()).connect();
  await expect(ada.invoke('refuse')).rejects.toThrow(
    "An unexpected error occurred invoking 'refuse' on the server. HubException: never",
  );
  await expect(ada.invoke('nothing' as 'refuse')).rejects.toThrow('Method does not exist.');
});

test('client results', async () => {
  const hub = await room({ maximumParallelInvocationsPerClient: 2 });
  const [ada, bob] = [await hub.connect(), await hub.connect()];
  bob.on('confirm', async (question: string) => question === 'sure?');
  expect(await ada.invoke('ask', bob.id)).toBe(true);
  await expect(ada.invoke('ask', ada.id)).rejects.toThrow('error occurred invoking');
  await expect(ada.invoke('ask', 'nobody')).rejects.toThrow('error occurred invoking');
});

test('streams to the client, to their end and cancelled', async () => {
  const ada = await (await room()).connect();
  const seen: number[] = [];
  for await (const number of ada.stream('count', 3)) seen.push(number);
  expect(seen).toEqual([3, 2, 1]);
  for await (const number of ada.stream('count', 1_000_000)) if (number < 999_990) break;
  await expect.poll(() => left).toHaveLength(2);
  expect(left[1]).not.toBe('stopped at 0');
});

test('uploads', async () => {
  const ada = await (await room()).connect();
  expect(await ada.invoke('sum', 10, numbers())).toBe(16);
});

test('who may not connect, at negotiate and by onConnected', async () => {
  const closed = await room({ authorize: ({ userIdentifier }) => userIdentifier === 'ada' });
  await expect(closed.connect()).rejects.toThrow('negotiate: 401');
  await expect(closed.connect({ userId: 'bob' })).rejects.toThrow('negotiate: 403');
  expect(await closed.connect({ userId: 'ada' })).toBeDefined();
  const refused = await (await room()).connect({ query: { refuse: 'yes' } });
  expect(await refused.closed).toEqual({
    error: 'Connection closed with an error. HubException: not you',
    allowReconnect: false,
  });
});

test('the life of a connection', async () => {
  const hub = await room();
  const [ada, bob] = [await hub.connect({ userId: 'ada' }), await hub.connect({ userId: 'bob' })];
  ada.stop();
  bob.send('abort');
  expect(await bob.closed).toEqual({ error: undefined, allowReconnect: false });
  await hub.stop();
  expect(left).toEqual([
    ['ada', undefined],
    ['bob', undefined],
  ]);
});

test('presence, which tells of who joins and leaves a group', async () => {
  const hub = await room();
  const ada = await hub.connect({ userId: 'ada' });
  await hub.connect({ userId: 'bob' });
  await hub.handle.userGroups.add('ada', 'here');
  const here = hub.handle.presence('here', { interval: 1 });
  const came = new Promise((resolve) => here.once('join', resolve));
  const went = new Promise((resolve) => here.once('leave', resolve));
  here.start();
  const member = { connectionId: ada.id, userId: 'ada' };
  expect(await came).toEqual(member);
  expect(await here.count()).toBe(1);
  expect(await hub.handle.connections.count()).toBe(2);
  const listed = [];
  for await (const one of hub.handle.connections.list({ userId: 'ada' })) listed.push(one);
  expect(listed).toEqual([member]);
  ada.stop();
  expect(await went).toEqual(member);
  await hub.stop();
});

class Stock extends Hub<RoomClient> {
  readonly #shelf: Map<string, number>;

  constructor(shelf: Map<string, number>) {
    super();
    this.#shelf = shelf;
  }

  count(item: string): number {
    return this.#shelf.get(item) ?? 0;
  }
}

test('a hub whose constructor takes arguments is made by create', async () => {
  const shelf = new Map([['tea', 3]]);
  const hub = await testHub(Stock, { create: () => new Stock(shelf) });
  const ada = await hub.connect();
  expect(await ada.invoke('count', 'tea')).toBe(3);
  await hub.handle.clients.all.said('system', 'hello');
  expect(await ada.next()).toEqual({ method: 'said', args: ['system', 'hello'] });
  await hub.stop();
});

test('types: create must make what is tested, and is not optional for such a hub', () => {
  const check = () => {
    const made = testHub(Stock, { create: () => new Stock(new Map()) });
    expectTypeOf(made).resolves.toEqualTypeOf<TestHub<typeof Stock, RoomClient>>();
    // @ts-expect-error: its constructor takes a shelf
    void testHub(Stock);
    // @ts-expect-error: no Stock
    void testHub(Stock, { create: () => new Room() });
  };
  expect(check).toBeTypeOf('function');
});
