import type { MessageFromServer } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import { payloads, TestEdge } from '../fixtures.test-support.ts';

const json = payloads({ json: '{"n":1}␞' });
let edge: TestEdge;
let server: FakeServer;
/** Ann has two connections, Ben one, and the last is nobody's. */
let clients: [FakeClient, FakeClient, FakeClient, FakeClient];

beforeEach(async () => {
  edge = new TestEdge();
  server = await edge.server();
  clients = [
    await edge.client(server, { userId: 'ann' }),
    await edge.client(server, { userId: 'ann' }),
    await edge.client(server, { userId: 'ben' }),
    await edge.client(server),
  ];
});

/** Says the messages, and answers which clients heard how many of the payloads. */
function reached(...messages: readonly MessageFromServer[]): number[] {
  for (const { socket } of clients) socket.sent.length = 0;
  server.says(...messages);
  return clients.map(({ heard }) => heard.length);
}

const join = (client: FakeClient, group: string): MessageFromServer => ({
  type: MessageType.JoinGroup,
  connectionId: client.id,
  group,
});

const toGroup = (group: string): MessageFromServer => ({
  type: MessageType.GroupBroadcastData,
  group,
  excludedConnectionIds: [],
  excludedUserIds: [],
  callerUserId: undefined,
  payloads: json,
});

describe('sends reach', () => {
  test('connections, each once, whoever serves them', async () => {
    const other = await edge.server({ serverId: 'server-2' });
    server = other;
    const [a, , , d] = clients;
    const connectionIds = [a.id, d.id, a.id, 'nobody'];
    expect(
      reached({ type: MessageType.MultiConnectionData, connectionIds, payloads: json }),
    ).toEqual([1, 0, 0, 1]);
  });

  test('users, exactly as they are written', () => {
    expect(reached({ type: MessageType.UserData, userId: 'ann', payloads: json })).toEqual([
      1, 1, 0, 0,
    ]);
    expect(reached({ type: MessageType.UserData, userId: 'Ann', payloads: json })).toEqual([
      0, 0, 0, 0,
    ]);
    const userIds = ['ben', 'ann', 'ben', 'cid'];
    expect(reached({ type: MessageType.MultiUserData, userIds, payloads: json })).toEqual([
      1, 1, 1, 0,
    ]);
  });

  test('everybody but the excluded', () => {
    const excludedConnectionIds = [clients[2].id, 'nobody'];
    expect(
      reached({ type: MessageType.BroadcastData, excludedConnectionIds, payloads: json }),
    ).toEqual([1, 1, 0, 1]);
  });

  test('groups, excluded connections and users aside, several groups once', () => {
    const [a, b, c, d] = clients;
    server.says(join(a, 'g'), join(b, 'g'), join(c, 'g'), join(d, 'g'), join(d, 'h'));
    expect(
      reached({
        type: MessageType.GroupBroadcastData,
        group: 'g',
        excludedConnectionIds: [d.id],
        excludedUserIds: ['ben'],
        callerUserId: 'ben',
        payloads: json,
      }),
    ).toEqual([1, 1, 0, 0]);
    expect(
      reached({ type: MessageType.MultiGroupBroadcastData, groups: ['h', 'g'], payloads: json }),
    ).toEqual([1, 1, 1, 1]);
    expect(reached(toGroup('G'))).toEqual([0, 0, 0, 0]);
  });

  test('nobody of another hub', async () => {
    server = await edge.server({ hub: 'other' });
    const connectionIds = clients.map(({ id }) => id);
    expect(
      reached(
        { type: MessageType.MultiConnectionData, connectionIds, payloads: json },
        { type: MessageType.BroadcastData, excludedConnectionIds: [], payloads: json },
        { type: MessageType.UserData, userId: 'ann', payloads: json },
        join(clients[0], 'g'),
        toGroup('g'),
      ),
    ).toEqual([0, 0, 0, 0]);
  });

  test('each client in its protocol; one without a payload is passed by, and counted', async () => {
    const binary = await edge.client(server, {
      handshake: '{"protocol":"messagepack","version":1}␞',
    });
    const blazor = await edge.client(server, {
      handshake: '{"protocol":"blazorpack","version":1}␞',
    });
    server.says({
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: payloads({ json: 'J␞', MessagePack: 'M' }),
    });
    expect(clients.map(({ heard }) => heard)).toEqual([['J␞'], ['J␞'], ['J␞'], ['J␞']]);
    expect(binary.socket.sent).toEqual([{ text: 'M', binary: true }]);
    expect(blazor.heard).toEqual([]);
    expect(edge.context.counters.skippedNoPayload).toBe(1);
    expect(edge.context.counters.fanoutRecipients.sum).toBe(6);
  });
});

describe('groups of connections', () => {
  test('a join that is acked is in force for every server connection', async () => {
    const other = await edge.server({ serverId: 'server-2' });
    const { id: connectionId } = clients[0];
    other.says(
      { type: MessageType.JoinGroupWithAck, connectionId, group: 'g', ackId: 5 },
      { type: MessageType.JoinGroupWithAck, connectionId: 'nobody', group: 'g', ackId: 6 },
    );
    expect(await other.heard()).toEqual([
      ['ack', 5, 1],
      ['ack', 6, 2],
    ]);
    expect(await server.heard()).toEqual([]);
    expect(reached(toGroup('g'))).toEqual([1, 0, 0, 0]);
  });

  test('leaving names one group, or all', async () => {
    const [{ id: connectionId }] = clients;
    const leave = (group: string | undefined, ackId: number): MessageFromServer => ({
      type: MessageType.LeaveGroupWithAck,
      connectionId,
      group,
      ackId,
    });
    server.says(join(clients[0], 'g'), join(clients[0], 'h'), join(clients[0], 'i'));
    server.says(leave('g', 1));
    expect(reached(toGroup('g'), toGroup('h'))).toEqual([1, 0, 0, 0]);
    server.says({ type: MessageType.LeaveGroup, connectionId, group: 'h' }, leave(undefined, 2));
    expect(reached(toGroup('h'), toGroup('i'))).toEqual([0, 0, 0, 0]);
    server.says({ ...leave('g', 3), connectionId: 'nobody' } as MessageFromServer);
    expect(await server.heard()).toEqual([
      ['ack', 1, 1],
      ['ack', 2, 1],
      ['ack', 3, 2],
    ]);
  });

  test('joining twice is joining once', () => {
    expect(reached(join(clients[0], 'g'), join(clients[0], 'g'), toGroup('g'))).toEqual([
      1, 0, 0, 0,
    ]);
  });
});

describe('groups of users', () => {
  const joinUser = (ttl?: number): MessageFromServer => ({
    type: MessageType.UserJoinGroup,
    userId: 'ann',
    group: 'g',
    ...(ttl === undefined ? {} : { ttl }),
  });

  test('have the connections there now, and those that come in time', async () => {
    expect(reached(joinUser(10), toGroup('g'))).toEqual([1, 1, 0, 0]);
    for (let i = 0; i < 9; i++) {
      edge.pass(1);
      server.says({ type: MessageType.Ping, entries: [] });
    }
    const inTime = await edge.client(server, { userId: 'ann' });
    edge.pass(1);
    const late = await edge.client(server, { userId: 'ann' });
    server.says(toGroup('g'));
    expect(inTime.heard).toHaveLength(1);
    expect(late.heard).toHaveLength(0);
  });

  test('with a time to live of 0 have those there now alone', async () => {
    expect(reached(joinUser(0), toGroup('g'))).toEqual([1, 1, 0, 0]);
    const late = await edge.client(server, { userId: 'ann' });
    server.says(toGroup('g'));
    expect(late.heard).toEqual([]);
  });

  test('are left by everybody, and by who comes later', async () => {
    server.says(joinUser(), {
      type: MessageType.UserLeaveGroupWithAck,
      userId: 'ann',
      group: undefined,
      ackId: 4,
    });
    const late = await edge.client(server, { userId: 'ann' });
    expect(reached(toGroup('g'))).toEqual([0, 0, 0, 0]);
    expect(late.heard).toEqual([]);
  });

  test('are acked with 1, the user there or not', async () => {
    const group = 'g';
    server.says(
      { type: MessageType.UserJoinGroupWithAck, userId: 'cid', group, ackId: 1 },
      { type: MessageType.UserLeaveGroupWithAck, userId: 'cid', group, ackId: 2 },
      { type: MessageType.UserLeaveGroup, userId: 'cid', group },
    );
    expect(await server.heard()).toEqual([
      ['ack', 1, 1],
      ['ack', 2, 1],
    ]);
  });
});

test('checks answer 1 for what is there and 2 for what is not', async () => {
  server.says(join(clients[2], 'g'));
  const { CheckUserInGroupWithAck, CheckGroupExistenceWithAck } = MessageType;
  const { CheckConnectionExistenceWithAck, CheckUserExistenceWithAck } = MessageType;
  server.says(
    { type: CheckUserInGroupWithAck, userId: 'ben', group: 'g', ackId: 1 },
    { type: CheckUserInGroupWithAck, userId: 'ann', group: 'g', ackId: 2 },
    { type: CheckUserInGroupWithAck, userId: 'ben', group: 'h', ackId: 3 },
    { type: CheckGroupExistenceWithAck, group: 'g', ackId: 4 },
    { type: CheckGroupExistenceWithAck, group: 'h', ackId: 5 },
    { type: CheckConnectionExistenceWithAck, connectionId: clients[0].id, ackId: 6 },
    { type: CheckConnectionExistenceWithAck, connectionId: 'nobody', ackId: 7 },
    { type: CheckUserExistenceWithAck, userId: 'ann', ackId: 8 },
    { type: CheckUserExistenceWithAck, userId: 'cid', ackId: 9 },
  );
  const found = [1, 4, 6, 8];
  expect(await server.heard()).toEqual(
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((ackId) => ['ack', ackId, found.includes(ackId) ? 1 : 2]),
  );
});

test('what is not served here is declined at once, rather than left to a timeout', async () => {
  server.says({ type: MessageType.AccessKeyRequest, token: 'aad', kid: undefined });
  const [key] = await server.messages();
  expect(key).toMatchObject({ type: MessageType.AccessKeyResponse, errorType: 'NotSupported' });
});
