import { createManager, HubError } from '@trunkline/sdk';
import type { ManagedHub, Manager } from '@trunkline/sdk';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { RestWorld } from '../edge/support/rest-world.ts';
import type { People } from '../edge/support/rest-world.ts';
import { connectClient } from '../edge/support/rest.ts';

interface ChatClient {
  say(...values: unknown[]): void;
  add(one: number, other: number): number;
  fails(): void;
}

/** All that the REST manager can be asked to do, by a service that is real. */
describe.each([1, 3])('a manager of %i edges', (edgeCount) => {
  let world: RestWorld;
  let manager: Manager;
  let hub: ManagedHub<ChatClient>;
  let names = 0;

  const name = (what: string) => `${what}/${++names} é`;

  beforeAll(async () => {
    world = await RestWorld.open(edgeCount);
    const connectionString = formatConnectionString(world.url, DEVELOPMENT_ACCESS_KEY);
    manager = createManager({ connectionString });
    hub = manager.hub<ChatClient>('Chat');
  });

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  /** What has come, up to the last word, which each is sent in the end. */
  async function heard({ both }: People): Promise<unknown[][]> {
    await hub.clients.clients(both.map(({ id }) => id)).say('end');
    const all = both.map(async ({ said }) => {
      await said.first(([first]) => first === 'end', 'the last word');
      return said.all.slice(0, -1).map(([first]) => first);
    });
    return Promise.all(all);
  }

  test('sends to whom it is for', async () => {
    const [user, group] = [name('u'), name('g')];
    await using people = await world.people(user);
    const [json, messagepack] = people.both;
    await hub.groups.add(json.id, group);
    await hub.clients.all.say('all', new Uint8Array([0, 255]), undefined);
    await hub.clients.allExcept([json.id]).say('all but one');
    await hub.clients.client(messagepack.id).say('one');
    await hub.clients.group(group).say('group');
    await hub.clients.groupExcept(group, json.id).say('group but one');
    await hub.clients.groups([group, name('g')]).say('groups');
    await hub.clients.user(user).say('user');
    await hub.clients.users([user, 'nobody']).say('users');
    await hub.clients.users([]).say('nobody');
    expect(await heard(people)).toEqual([
      ['all', 'group', 'groups', 'user', 'users'],
      ['all', 'all but one', 'one', 'user', 'users'],
    ]);
    expect(json.said.all[0]).toEqual(['all', 'AP8=', null]);
    expect(messagepack.said.all[0]).toEqual(['all', 'AP8=', null]);
  });

  test('knows what is there', async () => {
    const [user, group] = [name('u'), name('g')];
    await using people = await world.people(user);
    await hub.userGroups.add(user, group);
    expect(await hub.connectionExists(people.messagepack.id)).toBe(true);
    expect(await hub.groupExists(group)).toBe(true);
    expect(await hub.userExists(user)).toBe(true);
    expect(await hub.userGroups.has(user, group)).toBe(true);
    expect(await hub.connectionExists('nobody')).toBe(false);
    expect(await hub.groupExists('no such group')).toBe(false);
    expect(await hub.userExists('nobody')).toBe(false);
    expect(await hub.userGroups.has(user, 'no such group')).toBe(false);
  });

  test('adds connections and users to groups, and takes them out', async () => {
    const [user, group, other] = [name('u'), name('g'), name('h')];
    await using people = await world.people(user);
    const [json, messagepack] = people.both;
    const ids = async (which: string) => {
      const found: string[] = [];
      for await (const { connectionId } of hub.groups.connections(which)) found.push(connectionId);
      return found.toSorted();
    };
    const both = [json.id, messagepack.id].toSorted();
    await hub.groups.add(json.id, group);
    await hub.groups.add('nobody', group);
    expect(await ids(group)).toEqual([json.id]);
    await hub.groups.remove(json.id, group);
    await hub.groups.remove('nobody', group);
    expect(await ids(group)).toEqual([]);
    await hub.userGroups.add(user, group, { ttl: 60 });
    await hub.userGroups.add(user, other, { ttl: 0 });
    expect(await ids(group)).toEqual(both);
    expect(await ids(other)).toEqual(both);
    await hub.groups.removeFromAll(json.id);
    expect(await ids(group)).toEqual([messagepack.id]);
    // Who comes later joins the group that the user is kept in, and no other.
    const late = await connectClient(world.url, { user });
    expect(await ids(group)).toEqual([messagepack.id, late.id].toSorted());
    expect(await ids(other)).toEqual([messagepack.id]);
    await hub.userGroups.remove(user, group);
    expect(await hub.userGroups.has(user, group)).toBe(false);
    await hub.userGroups.removeFromAll(user);
    expect(await ids(other)).toEqual([]);
    await late.connection.stop();
  });

  test('lists a group page by page', async () => {
    const [user, group] = [name('u'), name('g')];
    const crowd = await Promise.all([1, 2, 3, 4].map(() => world.people(user)));
    await hub.userGroups.add(user, group);
    const first = await hub.groups.page(group, { size: 3 });
    expect(first.members).toHaveLength(3);
    const { continuationToken } = first;
    const rest = await hub.groups.page(group, { continuationToken });
    expect(rest).toMatchObject({ continuationToken: undefined });
    const listed = [...first.members, ...rest.members];
    expect(new Set(listed.map(({ connectionId }) => connectionId))).toEqual(
      new Set(crowd.flatMap(({ both }) => both.map(({ id }) => id))),
    );
    expect(listed.every(({ userId }) => userId === user)).toBe(true);
    const some: unknown[] = [];
    for await (const member of hub.groups.connections(group, { top: 5 })) some.push(member);
    expect(some).toHaveLength(5);
    await Promise.all(crowd.map((people) => people[Symbol.asyncDispose]()));
  });

  test('closes', async () => {
    const [user, group] = [name('u'), name('g')];
    const [one, two, three, four] = await Promise.all(
      [user, user, name('v'), name('w')].map((who) => world.people(who)),
    );
    await hub.closeConnection(one!.json.id, { reason: 'no more' });
    await hub.closeConnection('nobody');
    expect(await one!.json.closed).toContain('no more');
    await hub.closeUser(user, { except: one!.messagepack.id, reason: 'user goes' });
    for (const { closed } of two!.both) expect(await closed).toContain('user goes');
    await hub.groups.add(one!.messagepack.id, group);
    await hub.closeGroup(group, { reason: 'group goes' });
    expect(await one!.messagepack.closed).toContain('group goes');
    await hub.closeAll({ except: four!.both.map(({ id }) => id), reason: 'all go' });
    for (const { closed } of three!.both) expect(await closed).toContain('all go');
    expect(await four!.json.connection.invoke('echo', 1)).toBe(1);
    await hub.closeAll();
    await Promise.all(four!.both.map(({ closed }) => closed));
  });

  test('asks clients for results', async () => {
    await using people = await world.people(name('u'));
    for (const { id, connection } of people.both) {
      connection.on('add', (one: number, other: number) => one + other);
      connection.on('fails', () => {
        throw new Error('boom');
      });
      expect(await hub.clients.client(id).invoke().add(1, 2)).toBe(3);
      const failure = hub.clients.client(id).invoke().fails();
      await expect(failure).rejects.toEqual(new HubError('Error: boom'));
    }
    const answer = hub.clients.client('nobody').invoke().add(1, 2);
    await expect(answer).rejects.toMatchObject({ code: 'client-gone' });
  });

  test('signs clients in', async () => {
    const { url, accessToken } = hub.negotiate({ userId: 'ann', claims: { role: 'a' } });
    const response = await fetch(
      url.replace('/client/', '/client/negotiate') + '&negotiateVersion=1',
      {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}` },
      },
    );
    expect(response.status).toBe(200);
  });

  test('is refused with another key', async () => {
    const connectionString = formatConnectionString(world.url, 'x'.repeat(40));
    const { clients } = createManager({ connectionString }).hub('chat');
    const sent = clients.all.send('say');
    await expect(sent).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('The signature is invalid'),
    });
    expect(await createManager({ connectionString }).isHealthy()).toBe(true);
  });

  test('has its application in front of the hub', async () => {
    const connectionString = formatConnectionString(world.url, DEVELOPMENT_ACCESS_KEY);
    const named = createManager({ connectionString, applicationName: 'app' }).hub('chat');
    await using people = await world.people(name('u'));
    expect(await named.connectionExists(people.json.id)).toBe(false);
    expect(named.negotiate().url).toContain('hub=app_chat');
  });

  test('knows whether the service is well', async () => {
    expect(await manager.isHealthy()).toBe(true);
  });
});
