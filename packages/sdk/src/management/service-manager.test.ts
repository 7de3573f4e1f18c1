import type { MessageFromServer, ServiceMessage } from '@trunkline/protocol';
import { AckStatus, ByteWriter, MessageType as M } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import type { FakeServerConnection } from '../fake-service.test-support.ts';
import { atEnd, fakeService, Log, passing, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import type { HubHandle } from '../server.ts';
import { Server } from '../server.ts';

class Chat extends Hub {
  async closeUser(userId: string): Promise<void> {
    await this.manager.closeUser(userId, { reason: 'bye', except: this.context.connectionId });
  }
}

type Ask = (hub: HubHandle<unknown>) => Promise<unknown>;

/** What the service is asked when `ask` is called, without the ack id. */
async function asked(ask: Ask, status: number = AckStatus.Ok) {
  const { hub, trunk } = await serve(Chat);
  const before = trunk.received.length;
  const answer = ask(hub);
  const message = await until(
    () => trunk.received.slice(before).find((said) => 'ackId' in said),
    'a question',
  );
  const { ackId, ...rest } = message as Extract<MessageFromServer, { ackId: number }>;
  trunk.send({ type: M.Ack, ackId, status, message: '' });
  return { asked: rest, answer: await answer };
}

const reason = 'go';

test.each<[string, Ask, object]>([
  [
    'closeConnection',
    (hub) => hub.closeConnection('c', { reason }),
    { type: M.CloseConnectionWithAck, connectionId: 'c', reason },
  ],
  [
    'closeConnection without a reason',
    (hub) => hub.closeConnection('c'),
    { type: M.CloseConnectionWithAck, connectionId: 'c', reason: undefined },
  ],
  [
    'closeUser',
    (hub) => hub.closeUser('ann', { reason, except: ['c'] }),
    { type: M.CloseUserConnectionsWithAck, userId: 'ann', reason, excludedConnectionIds: ['c'] },
  ],
  [
    'closeGroup',
    (hub) => hub.closeGroup('g', { except: 'c' }),
    {
      type: M.CloseGroupConnectionsWithAck,
      group: 'g',
      reason: undefined,
      excludedConnectionIds: ['c'],
    },
  ],
  [
    'closeAll',
    (hub) => hub.closeAll({ reason }),
    { type: M.CloseConnectionsWithAck, reason, excludedConnectionIds: [] },
  ],
  [
    'userGroups.add',
    (hub) => hub.userGroups.add('ann', 'g', { ttl: 60 }),
    { type: M.UserJoinGroupWithAck, userId: 'ann', group: 'g', ttl: 60 },
  ],
  [
    'userGroups.add for good',
    (hub) => hub.userGroups.add('ann', 'g'),
    { type: M.UserJoinGroupWithAck, userId: 'ann', group: 'g' },
  ],
  [
    'userGroups.add for now',
    (hub) => hub.userGroups.add('ann', 'g', { ttl: 0 }),
    { type: M.UserJoinGroupWithAck, userId: 'ann', group: 'g', ttl: 0 },
  ],
  [
    'userGroups.remove',
    (hub) => hub.userGroups.remove('ann', 'g'),
    { type: M.UserLeaveGroupWithAck, userId: 'ann', group: 'g' },
  ],
  [
    'userGroups.removeFromAll',
    (hub) => hub.userGroups.removeFromAll('ann'),
    { type: M.UserLeaveGroupWithAck, userId: 'ann', group: undefined },
  ],
  [
    'groups.removeFromAll',
    (hub) => hub.groups.removeFromAll('c'),
    { type: M.LeaveGroupWithAck, connectionId: 'c', group: undefined },
  ],
])('%s resolves when it is confirmed, found or not', async (_, ask, message) => {
  expect(await asked(ask)).toStrictEqual({ asked: message, answer: undefined });
  expect((await asked(ask, AckStatus.NotFound)).answer).toBeUndefined();
});

test.each<[string, Ask, object]>([
  [
    'groupExists',
    (hub) => hub.groupExists('g'),
    { type: M.CheckGroupExistenceWithAck, group: 'g' },
  ],
  [
    'userExists',
    (hub) => hub.userExists('ann'),
    { type: M.CheckUserExistenceWithAck, userId: 'ann' },
  ],
  [
    'userGroups.has',
    (hub) => hub.userGroups.has('ann', 'g'),
    { type: M.CheckUserInGroupWithAck, userId: 'ann', group: 'g' },
  ],
])('%s answers what the service says', async (_, ask, message) => {
  expect(await asked(ask)).toStrictEqual({ asked: message, answer: true });
  expect((await asked(ask, AckStatus.NotFound)).answer).toBe(false);
});

test('abort says so and waits for nobody', async () => {
  const { hub, trunk } = await serve(Chat);
  hub.abort('c');
  expect(await trunk.next(M.CloseConnection)).toMatchObject({
    connectionId: 'c',
    errorMessage: '',
  });
});

test('a hub asks on the server connection of its client', async () => {
  const { service } = await serve(Chat, { server: { connectionCount: 3 } });
  const trunk = await until(() => service.live[2], 'three server connections');
  const client = trunk.open({ id: 'c1' });
  client.call('closeUser', ['bob']);
  const message = await trunk.next(M.CloseUserConnectionsWithAck);
  expect(message).toMatchObject({ userId: 'bob', reason: 'bye', excludedConnectionIds: ['c1'] });
  trunk.confirm(message.ackId);
  expect(await client.text(1)).toBe('{"type":3,"invocationId":"1","result":null}');
});

describe('what cannot be asked is refused before anything is sent', () => {
  test.each<[string, Ask, RegExp]>([
    [
      'a connection by number',
      (hub) => hub.closeConnection(5 as never),
      /named by a string, not by number/,
    ],
    [
      'a user by nothing',
      (hub) => hub.userExists(undefined as never),
      /named by a string, not by undefined/,
    ],
    ['an empty group', (hub) => hub.groupExists(''), /empty group name/],
    [
      'a reason that is no text',
      (hub) => hub.closeAll({ reason: 5 as never }),
      /closeAll: reason takes a text, not 5/,
    ],
    [
      'exceptions that are no names',
      (hub) => hub.closeUser('a', { except: [5 as never] }),
      /except takes/,
    ],
    [
      'half a second',
      (hub) => hub.userGroups.add('a', 'g', { ttl: 0.5 }),
      /userGroups.add: ttl takes .*, not 0.5/,
    ],
    ['time backwards', (hub) => hub.userGroups.add('a', 'g', { ttl: -1 }), /ttl takes/],
    [
      'more seconds than the wire has',
      (hub) => hub.userGroups.add('a', 'g', { ttl: 2 ** 31 }),
      /ttl takes/,
    ],
    [
      'an empty page',
      (hub) => hub.groups.page('g', { size: 0 }),
      /groups.page: size takes .*, not 0/,
    ],
    [
      'a token of something else',
      (hub) => hub.groups.page('g', { continuationToken: 'x' }),
      /continuationToken/,
    ],
    ['half a member', (hub) => list(hub, 0.5), /top takes/],
  ])('%s', async (_, ask, why) => {
    const { hub, trunk } = await serve(Chat);
    await expect(ask(hub)).rejects.toThrow(why);
    expect(trunk.received.filter((said) => 'ackId' in said)).toEqual([]);
  });
});

async function list(hub: HubHandle<unknown>, top?: number): Promise<string[]> {
  const ids: string[] = [];
  const options = top === undefined ? {} : { top };
  for await (const { connectionId } of hub.groups.connections('g', options)) ids.push(connectionId);
  return ids;
}

describe('what the service does not confirm', () => {
  test('in 10 s, says what is uncertain', async () => {
    const clock = new ManualClock();
    const { hub } = await serve(Chat, { clock });
    const closing = hub.closeGroup('g');
    const late = passing(clock, closing);
    await expect(late).rejects.toMatchObject({
      code: 'ack-timeout',
      message: 'closing the connections is uncertain: the service did not confirm within 10 s',
    });
  });

  test('and why, where it says so', async () => {
    const { hub, trunk } = await serve(Chat);
    const answer = hub.userExists('ann');
    const { ackId } = await trunk.next(M.CheckUserExistenceWithAck);
    trunk.send({ type: M.Ack, ackId, status: AckStatus.InternalServerError, message: 'too much' });
    await expect(answer).rejects.toThrow(
      'asking for the user is uncertain: the service could not do it (ack status 4): too much',
    );
  });

  test('is the end of nobody who does not look', async () => {
    const { hub, server } = await serve(Chat);
    await server.stop({ timeout: 0 });
    void hub.closeAll();
    void hub.userGroups.add('a', 'g');
    await expect(hub.userExists('ann')).rejects.toMatchObject({ code: 'not-connected' });
    expect(() => hub.abort('c')).toThrow('no server connection');
  });
});

/** `[ [ [id, user or nil] … ], token or nil ]` */
function page(ids: readonly string[], next?: string): Uint8Array {
  const writer = new ByteWriter(64);
  writer.arrayHeader(2);
  writer.arrayHeader(ids.length);
  for (const id of ids) {
    writer.arrayHeader(2);
    writer.text(id);
    if (id === 'a') writer.text('ann');
    else writer.nil();
  }
  if (next === undefined) writer.nil();
  else writer.text(next);
  return new Uint8Array(writer.view());
}

/** Answers the n-th listing that comes. */
async function answerPage(trunk: FakeServerConnection, n: number, ids: string[], next?: string) {
  const query = await trunk.next(M.GroupMemberQuery, n);
  const { ackId } = query;
  trunk.send({ type: M.Ack, ackId, status: AckStatus.Ok, message: '', payload: page(ids, next) });
  return query;
}

describe('the members of a group', () => {
  test('are asked for page by page as they are read', async () => {
    const { hub, trunk } = await serve(Chat);
    const reading = list(hub);
    expect(await answerPage(trunk, 0, ['a', 'b'], 'b')).toMatchObject({
      group: 'g',
      top: undefined,
      maxPageSize: undefined,
      continuationToken: undefined,
    });
    expect(await answerPage(trunk, 1, ['c'])).toMatchObject({ continuationToken: 'b' });
    expect(await reading).toStrictEqual(['a', 'b', 'c']);
    expect(trunk.ofType(M.GroupMemberQuery)).toHaveLength(2);
  });

  test('are no more than were wanted', async () => {
    const { hub, trunk } = await serve(Chat);
    const reading = list(hub, 3);
    expect(await answerPage(trunk, 0, ['a', 'b'], 'b')).toMatchObject({ maxPageSize: 3 });
    expect(await answerPage(trunk, 1, ['c', 'd'], 'd')).toMatchObject({ maxPageSize: 1 });
    expect(await reading).toStrictEqual(['a', 'b', 'c']);
    expect(await list(hub, 0)).toStrictEqual([]);
  });

  test('come as pages to whoever asks for one, with their users', async () => {
    const { hub, trunk } = await serve(Chat);
    const first = hub.groups.page('g', { size: 2 });
    expect(await answerPage(trunk, 0, ['a', 'b'], 'b')).toMatchObject({ maxPageSize: 2 });
    const { members, continuationToken } = await first;
    expect(members).toStrictEqual([{ connectionId: 'a', userId: 'ann' }, { connectionId: 'b' }]);
    const second = hub.groups.page('g', { continuationToken });
    expect(await answerPage(trunk, 1, ['c'])).toMatchObject({ continuationToken: 'b' });
    expect(await second).toStrictEqual({
      members: [{ connectionId: 'c' }],
      continuationToken: undefined,
    });
  });
});

describe('of several endpoints', () => {
  async function serveTwo() {
    const services = [await fakeService(), await fakeService()];
    const endpoints = services.map(({ connectionString }, at) => ({
      name: 'ab'[at]!,
      connectionString,
    }));
    const server = new Server({ endpoints, connectionCount: 1, logger: new Log() });
    atEnd(() => server.stop({ timeout: 0 }));
    const hub = server.hub('/chat', Chat);
    await server.start();
    const trunks = await Promise.all(
      services.map((service) => until(() => service.live[0], 'a server connection')),
    );
    return { hub, a: trunks[0]!, b: trunks[1]! };
  }

  const answer = async (
    trunk: FakeServerConnection,
    type: ServiceMessage['type'],
    status: number,
  ) => {
    const { ackId } = (await trunk.next(type)) as { ackId: number };
    trunk.send({ type: M.Ack, ackId, status, message: '' });
  };

  test('one that says yes is enough for a question', async () => {
    const { hub, a, b } = await serveTwo();
    const found = hub.userExists('ann');
    await answer(a, M.CheckUserExistenceWithAck, AckStatus.NotFound);
    await answer(b, M.CheckUserExistenceWithAck, AckStatus.Ok);
    expect(await found).toBe(true);
    const absent = hub.groupExists('g');
    await answer(a, M.CheckGroupExistenceWithAck, AckStatus.NotFound);
    await answer(b, M.CheckGroupExistenceWithAck, AckStatus.NotFound);
    expect(await absent).toBe(false);
  });

  test('all must confirm a change', async () => {
    const { hub, a, b } = await serveTwo();
    const closing = hub.closeUser('ann');
    await answer(a, M.CloseUserConnectionsWithAck, AckStatus.Ok);
    await answer(b, M.CloseUserConnectionsWithAck, AckStatus.InternalServerError);
    await expect(closing).rejects.toMatchObject({ code: 'ack-timeout' });
  });

  test('the connections of one after those of the other are a group', async () => {
    const { hub, a, b } = await serveTwo();
    const reading = list(hub);
    await answerPage(a, 0, ['a'], 'x');
    expect(await answerPage(a, 1, ['b'])).toMatchObject({ continuationToken: 'x' });
    expect(await answerPage(b, 0, ['c'])).toMatchObject({ continuationToken: undefined });
    expect(await reading).toStrictEqual(['a', 'b', 'c']);
  });
});
