import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { createServer, Hub } from '@trunkline/sdk';
import type { HubHandle, Server } from '@trunkline/sdk';
import { startEdge } from '@trunkline/testing';
import type { StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { openSite, type Site } from './site.ts';

class Desk extends Hub {
  id(): string {
    return this.context.connectionId;
  }
  async leave(): Promise<void> {
    await this.manager.closeConnection(this.context.connectionId, { reason: 'you asked' });
  }
}

let edge: StartedEdge;
let server: Server;
let site: Site;
let desk: HubHandle<Record<string, () => void>>;

beforeAll(async () => {
  edge = await startEdge();
  server = createServer({
    connectionString: formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY),
  });
  desk = server.hub('/desk', Desk);
  site = await openSite(server, { userId: ({ headers }) => headers['x-user'] as string });
});

afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  await edge?.stop();
});

/** A client, with what it is told when its connection ends. */
async function connect(user: string) {
  const connection = new HubConnectionBuilder()
    .withUrl(`${site.url}/desk`, { headers: { 'x-user': user } })
    .configureLogging(LogLevel.None)
    .build();
  const closed = new Promise<Error | undefined>((resolve) => connection.onclose(resolve));
  await connection.start();
  return { connection, closed, id: await connection.invoke<string>('id') };
}

async function ids(group: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { connectionId } of desk.groups.connections(group)) found.push(connectionId);
  return found.toSorted();
}

test('closes connections, users and groups with a reason, and those named stay', async () => {
  const [one, ann, ann2, bob, bob2] = await Promise.all(
    ['one', 'ann', 'ann', 'bob', 'bob'].map((user) => connect(user)),
  );
  await desk.closeConnection(one!.id, { reason: 'one goes' });
  expect((await one!.closed)?.message).toContain('one goes');
  await desk.closeUser('ann', { reason: 'ann goes', except: ann2!.id });
  expect((await ann!.closed)?.message).toContain('ann goes');
  expect(await ann2!.connection.invoke('id')).toBe(ann2!.id);
  await desk.groups.add(bob!.id, 'bobs');
  await desk.closeGroup('bobs', { reason: 'group goes' });
  expect((await bob!.closed)?.message).toContain('group goes');
  await desk.closeAll({ except: [bob2!.id] });
  await ann2!.closed;
  expect(await bob2!.connection.invoke('id')).toBe(bob2!.id);
  bob2!.connection.invoke('leave').catch(() => {});
  expect((await bob2!.closed)?.message).toContain('you asked');
});

test('abort closes without a word, and the hub hears of it', async () => {
  const { closed, id } = await connect('cid');
  const left = new Promise((resolve) =>
    server.on('disconnected', ({ connectionId }) => void (connectionId === id && resolve(id))),
  );
  desk.abort(id);
  await closed;
  expect(await desk.connectionExists(id)).toBe(false);
  expect(await left).toBe(id);
});

test('knows which connections, users and groups there are', async () => {
  const { connection, closed, id } = await connect('dora');
  await desk.groups.add(id, 'doras');
  expect(await desk.connectionExists(id)).toBe(true);
  expect(await desk.userExists('dora')).toBe(true);
  expect(await desk.groupExists('doras')).toBe(true);
  expect(await desk.userGroups.has('dora', 'doras')).toBe(true);
  await desk.groups.removeFromAll(id);
  expect(await desk.groupExists('doras')).toBe(false);
  await connection.stop();
  await closed;
  await vi.waitFor(async () => expect(await desk.userExists('dora')).toBe(false));
});

test('lists a group, whole, in part and page by page', async () => {
  const clients = await Promise.all(
    ['eve', 'eve', 'fay', 'fay', 'gil'].map((user) => connect(user)),
  );
  await Promise.all(clients.map(({ id }) => desk.groups.add(id, 'all')));
  const all = clients.map(({ id }) => id).toSorted();
  expect(await ids('all')).toStrictEqual(all);
  const some = [];
  for await (const member of desk.groups.connections('all', { top: 2 })) some.push(member);
  expect(some).toHaveLength(2);
  const paged: string[] = [];
  let pages = 0;
  let continuationToken: string | undefined;
  do {
    const page = await desk.groups.page('all', { size: 2, continuationToken });
    paged.push(...page.members.map(({ connectionId }) => connectionId));
    ({ continuationToken } = page);
    pages++;
  } while (continuationToken !== undefined);
  expect(paged.toSorted()).toStrictEqual(all);
  expect(pages).toBe(3);
  const gil = clients[4]!;
  const { members } = await desk.groups.page('all', { size: 5 });
  expect(members).toContainEqual({ connectionId: gil.id, userId: 'gil' });
  await Promise.all(clients.map(({ connection }) => connection.stop()));
});

test("puts a user's connections into groups, those of later too, for as long as is said", async () => {
  const now = await connect('hal');
  await desk.userGroups.add('hal', 'kept');
  await desk.userGroups.add('hal', 'now', { ttl: 0 });
  const later = await connect('hal');
  expect(await ids('kept')).toStrictEqual([now.id, later.id].toSorted());
  expect(await ids('now')).toStrictEqual([now.id]);
  await desk.userGroups.remove('hal', 'kept');
  expect(await ids('kept')).toStrictEqual([]);
  await desk.userGroups.removeFromAll('hal');
  expect(await ids('now')).toStrictEqual([]);
  await Promise.all([now, later].map(({ connection }) => connection.stop()));
});
