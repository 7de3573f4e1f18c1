import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { HubConnection, InvocationMessage } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { AckStatus, MessageType } from '@trunkline/protocol';
import type { MessageFromServer, Payloads } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HubClient } from './support/hub-client.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { userToken } from './support/tokens.ts';

const M = MessageType;
const messagepack = new MessagePackHubProtocol();

const { edge, server } = await sharedEdge();
let others: FakeAppServer;
/** Ann has two connections, one of which speaks MessagePack; Bob has one; Dan is in another hub. */
let ann: HubClient;
let ann2: HubConnection;
let bob: HubClient;
let nobody: HubClient;
let dan: HubClient;
const heardByAnn2: string[] = [];

beforeAll(async () => {
  others = await FakeAppServer.connect(edge.url, { hub: 'other' });
  ann = await HubClient.connect(edge.url, { userId: 'ann' });
  bob = await HubClient.connect(edge.url, { userId: 'bob' });
  nobody = await HubClient.connect(edge.url);
  dan = await HubClient.connect(edge.url, { hub: 'other', userId: 'ann' });
  ann2 = new HubConnectionBuilder()
    .withUrl(`${edge.url}/client/?hub=chat`, {
      accessTokenFactory: () => userToken('chat', 'ann'),
      transport: HttpTransportType.WebSockets,
    })
    .withHubProtocol(messagepack)
    .configureLogging(LogLevel.None)
    .build();
  ann2.on('said', (text: string) => heardByAnn2.push(text));
  await ann2.start();
});
afterAll(async () => {
  await ann2.stop();
  await Promise.all([ann, bob, nobody, dan].map((client) => client.close()));
  await others.close();
});

function payloads(text: string): Payloads {
  const message: InvocationMessage = { type: 1, target: 'said', arguments: [text] };
  return new Map([
    ['json', Buffer.from(`${JSON.stringify(message)}\x1e`)],
    ['messagepack', new Uint8Array(messagepack.writeMessage(message))],
  ]);
}

let barriers = 0;

/** Who has heard `text`, once everything that the servers sent before has arrived. */
async function audience(text: string): Promise<string[]> {
  const barrier = `barrier ${barriers++}`;
  for (const one of [server, others]) {
    one.write({ type: M.BroadcastData, excludedConnectionIds: [], payloads: payloads(barrier) });
  }
  const clients = { ann, bob, nobody, dan };
  const heard: string[] = [];
  for (const [name, client] of Object.entries(clients)) {
    await client.received.first((message) => message.arguments?.[0] === barrier, 'the barrier');
    const times = client.received.all.filter((message) => message.arguments?.[0] === text).length;
    heard.push(...Array.from({ length: times }, () => name));
  }
  await expect.poll(() => heardByAnn2).toContain(barrier);
  heard.push(...heardByAnn2.filter((word) => word === text).map(() => 'ann2'));
  return heard.sort();
}

let ackIds = 0;

/** Writes a message that wants an ack, and gives the ack's status. */
async function ask(message: (ackId: number) => MessageFromServer): Promise<number> {
  const ackId = ++ackIds;
  server.write(message(ackId));
  const ack = await server.received.first(
    (message) => message.type === M.Ack && message.ackId === ackId,
    `ack ${ackId}`,
  );
  return (ack as { status: number }).status;
}

const ids = {
  ann: () => ann.connectionId,
  ann2: () => ann2.connectionId!,
  bob: () => bob.connectionId,
};
const UNKNOWN = 'A'.repeat(20);

describe('a send', () => {
  beforeAll(async () => {
    await ask((ackId) => ({
      type: M.JoinGroupWithAck,
      connectionId: ids.ann(),
      group: 'red',
      ackId,
    }));
    await ask((ackId) => ({
      type: M.JoinGroupWithAck,
      connectionId: ids.bob(),
      group: 'red',
      ackId,
    }));
    await ask((ackId) => ({
      type: M.JoinGroupWithAck,
      connectionId: ids.ann2(),
      group: 'blue',
      ackId,
    }));
    await ask((ackId) => ({
      type: M.JoinGroupWithAck,
      connectionId: ids.bob(),
      group: 'blue',
      ackId,
    }));
  });

  const SENDS: [string, (text: Payloads) => MessageFromServer, string[]][] = [
    [
      'to all',
      (p) => ({ type: M.BroadcastData, excludedConnectionIds: [], payloads: p }),
      ['ann', 'ann2', 'bob', 'nobody'],
    ],
    [
      'to all but two',
      (p) => ({
        type: M.BroadcastData,
        excludedConnectionIds: [ids.ann(), ids.bob(), UNKNOWN],
        payloads: p,
      }),
      ['ann2', 'nobody'],
    ],
    [
      'to one connection',
      (p) => ({ type: M.MultiConnectionData, connectionIds: [ids.ann()], payloads: p }),
      ['ann'],
    ],
    [
      'to connections',
      (p) => ({
        type: M.MultiConnectionData,
        connectionIds: [ids.ann2(), UNKNOWN, ids.bob()],
        payloads: p,
      }),
      ['ann2', 'bob'],
    ],
    [
      'to a connection named twice',
      (p) => ({ type: M.MultiConnectionData, connectionIds: [ids.bob(), ids.bob()], payloads: p }),
      ['bob'],
    ],
    [
      "to another hub's connection",
      (p) => ({ type: M.MultiConnectionData, connectionIds: [dan.connectionId], payloads: p }),
      [],
    ],
    ['to a user', (p) => ({ type: M.UserData, userId: 'ann', payloads: p }), ['ann', 'ann2']],
    ['to a user in other letters', (p) => ({ type: M.UserData, userId: 'Ann', payloads: p }), []],
    ['to a user without a name', (p) => ({ type: M.UserData, userId: '', payloads: p }), []],
    [
      'to users',
      (p) => ({ type: M.MultiUserData, userIds: ['bob', 'carl', 'ann', 'bob'], payloads: p }),
      ['ann', 'ann2', 'bob'],
    ],
    [
      'to a group',
      (p) => ({
        type: M.GroupBroadcastData,
        group: 'red',
        excludedConnectionIds: [],
        excludedUserIds: [],
        callerUserId: undefined,
        payloads: p,
      }),
      ['ann', 'bob'],
    ],
    [
      'to a group but a connection',
      (p) => ({
        type: M.GroupBroadcastData,
        group: 'red',
        excludedConnectionIds: [ids.ann()],
        excludedUserIds: [],
        callerUserId: undefined,
        payloads: p,
      }),
      ['bob'],
    ],
    [
      'to a group but a user',
      (p) => ({
        type: M.GroupBroadcastData,
        group: 'blue',
        excludedConnectionIds: [],
        excludedUserIds: ['ann'],
        callerUserId: undefined,
        payloads: p,
      }),
      ['bob'],
    ],
    [
      'to a group in other letters',
      (p) => ({
        type: M.GroupBroadcastData,
        group: 'Red',
        excludedConnectionIds: [],
        excludedUserIds: [],
        callerUserId: undefined,
        payloads: p,
      }),
      [],
    ],
    [
      'to groups',
      (p) => ({ type: M.MultiGroupBroadcastData, groups: ['red', 'green', 'blue'], payloads: p }),
      ['ann', 'ann2', 'bob'],
    ],
  ];

  it.each(SENDS)('%s reaches exactly them', async (name, message, expected) => {
    server.write(message(payloads(name)));
    expect(await audience(name)).toEqual(expected);
  });

  it('in one protocol reaches only who speaks it', async () => {
    const json = new Map([['JSON', payloads('json only').get('json')!]]);
    server.write({ type: M.BroadcastData, excludedConnectionIds: [], payloads: json });
    expect(await audience('json only')).toEqual(['ann', 'bob', 'nobody']);
  });

  it('comes from any server connection of the hub, in the order of that one', async () => {
    await using second = await FakeAppServer.connect(edge.url);
    for (const text of ['first', 'second', 'third']) {
      second.write({ type: M.UserData, userId: 'bob', payloads: payloads(text) });
    }
    await bob.received.first((message) => message.arguments?.[0] === 'third', 'the third');
    const words = bob.received.all.map((message) => message.arguments?.[0]);
    expect(words.filter((word) => ['first', 'second', 'third'].includes(String(word)))).toEqual([
      'first',
      'second',
      'third',
    ]);
  });
});

describe('a group', () => {
  const toGroup = (group: string, text: string): void =>
    server.write({
      type: M.GroupBroadcastData,
      group,
      excludedConnectionIds: [],
      excludedUserIds: [],
      callerUserId: undefined,
      payloads: payloads(text),
    });

  it('is in force when its ack comes, and over when the next does', async () => {
    const connectionId = ids.ann();
    const join = (ackId: number): MessageFromServer => ({
      type: M.JoinGroupWithAck,
      connectionId,
      group: 'g1',
      ackId,
    });
    const leave = (ackId: number): MessageFromServer => ({
      type: M.LeaveGroupWithAck,
      connectionId,
      group: 'g1',
      ackId,
    });
    expect(await ask(join)).toBe(AckStatus.Ok);
    expect(await ask(join)).toBe(AckStatus.Ok);
    toGroup('g1', 'inside');
    expect(await ask(leave)).toBe(AckStatus.Ok);
    toGroup('g1', 'outside');
    expect(await audience('inside')).toEqual(['ann']);
    expect(await audience('outside')).toEqual([]);
  });

  it('is joined and left without an ack too', async () => {
    server.write({ type: M.JoinGroup, connectionId: ids.bob(), group: 'g2' });
    toGroup('g2', 'in g2');
    server.write({ type: M.LeaveGroup, connectionId: ids.bob(), group: 'g2' });
    toGroup('g2', 'out of g2');
    expect(await audience('in g2')).toEqual(['bob']);
    expect(await audience('out of g2')).toEqual([]);
  });

  it('takes a user with all connections, those to come too', async () => {
    expect(
      await ask((ackId) => ({ type: M.UserJoinGroupWithAck, userId: 'ann', group: 'g3', ackId })),
    ).toBe(AckStatus.Ok);
    await using third = await HubClient.connect(edge.url, { userId: 'ann' });
    toGroup('g3', 'in g3');
    expect(await audience('in g3')).toEqual(['ann', 'ann2']);
    expect((await third.invocation('said')).arguments).toEqual(['in g3']);
    expect(
      await ask((ackId) => ({
        type: M.UserLeaveGroupWithAck,
        userId: 'ann',
        group: undefined,
        ackId,
      })),
    ).toBe(AckStatus.Ok);
    toGroup('g3', 'out of g3');
    expect(await audience('out of g3')).toEqual([]);
  });

  it("does not take another hub's connection", async () => {
    const connectionId = dan.connectionId;
    expect(
      await ask((ackId) => ({ type: M.JoinGroupWithAck, connectionId, group: 'g4', ackId })),
    ).toBe(AckStatus.NotFound);
  });
});

describe('an ack', () => {
  const { Ok, NotFound } = AckStatus;
  const QUESTIONS: [string, (ackId: number) => MessageFromServer, number][] = [
    [
      'of a connection that is there',
      (ackId) => ({ type: M.CheckConnectionExistenceWithAck, connectionId: ids.ann(), ackId }),
      Ok,
    ],
    [
      'of one that is not',
      (ackId) => ({ type: M.CheckConnectionExistenceWithAck, connectionId: UNKNOWN, ackId }),
      NotFound,
    ],
    [
      'of a connection in another hub',
      (ackId) => ({
        type: M.CheckConnectionExistenceWithAck,
        connectionId: dan.connectionId,
        ackId,
      }),
      NotFound,
    ],
    [
      'of a user that is there',
      (ackId) => ({ type: M.CheckUserExistenceWithAck, userId: 'bob', ackId }),
      Ok,
    ],
    [
      'of a user that is not',
      (ackId) => ({ type: M.CheckUserExistenceWithAck, userId: 'carl', ackId }),
      NotFound,
    ],
    [
      'of a group that is there',
      (ackId) => ({ type: M.CheckGroupExistenceWithAck, group: 'asked', ackId }),
      Ok,
    ],
    [
      'of a group that is not',
      (ackId) => ({ type: M.CheckGroupExistenceWithAck, group: 'unasked', ackId }),
      NotFound,
    ],
    [
      'of a user in a group',
      (ackId) => ({ type: M.CheckUserInGroupWithAck, userId: 'bob', group: 'asked', ackId }),
      Ok,
    ],
    [
      'of a user not in it',
      (ackId) => ({ type: M.CheckUserInGroupWithAck, userId: 'ann', group: 'asked', ackId }),
      NotFound,
    ],
    [
      'of a join of nobody',
      (ackId) => ({ type: M.JoinGroupWithAck, connectionId: UNKNOWN, group: 'g', ackId }),
      NotFound,
    ],
    [
      'of a close of nobody',
      (ackId) => ({
        type: M.CloseConnectionWithAck,
        connectionId: UNKNOWN,
        reason: undefined,
        ackId,
      }),
      NotFound,
    ],
  ];

  beforeAll(async () => {
    await ask((ackId) => ({
      type: M.JoinGroupWithAck,
      connectionId: ids.bob(),
      group: 'asked',
      ackId,
    }));
  });

  it.each(QUESTIONS)('%s says so', async (_name, question, status) => {
    expect(await ask(question)).toBe(status);
  });
});

describe('a close', () => {
  const connect = (userId: string): Promise<HubClient> => HubClient.connect(edge.url, { userId });

  async function expectClosed(client: HubClient, error: string): Promise<void> {
    expect((await client.closed).code).toBe(1000);
    expect(client.received.all.at(-1)).toEqual({ type: 7, error });
  }

  it('of a connection ends it, and tells the server that had it', async () => {
    const client = await connect('eve');
    const { connectionId } = client;
    await server.opened(connectionId);
    const status = await ask((ackId) => ({
      type: M.CloseConnectionWithAck,
      connectionId,
      reason: 'out',
      ackId,
    }));
    expect(status).toBe(AckStatus.Ok);
    await expectClosed(client, 'out');
    await server.received.first(
      (message) => message.type === M.CloseConnection && message.connectionId === connectionId,
      'the close',
    );
  });

  it('of a user ends all but those excluded', async () => {
    const [one, two] = [await connect('eve'), await connect('eve')];
    await ask((ackId) => ({
      type: M.CloseUserConnectionsWithAck,
      userId: 'eve',
      reason: 'user',
      excludedConnectionIds: [two.connectionId],
      ackId,
    }));
    await expectClosed(one, 'user');
    expect(await two.call('echo', 1)).toBe(1);
    await two.close();
  });

  it('of a group ends its members', async () => {
    const [inside, outside] = [await connect('eve'), await connect('eve')];
    await ask((ackId) => ({
      type: M.JoinGroupWithAck,
      connectionId: inside.connectionId,
      group: 'doomed',
      ackId,
    }));
    await ask((ackId) => ({
      type: M.CloseGroupConnectionsWithAck,
      group: 'doomed',
      reason: 'group',
      excludedConnectionIds: [],
      ackId,
    }));
    await expectClosed(inside, 'group');
    expect(await outside.call('echo', 1)).toBe(1);
    await outside.close();
  });

  it('of all ends the hub, but not another', async () => {
    const eve = await connect('eve');
    const kept = [ids.ann(), ids.ann2(), ids.bob(), nobody.connectionId];
    await ask((ackId) => ({
      type: M.CloseConnectionsWithAck,
      reason: 'all',
      excludedConnectionIds: kept,
      ackId,
    }));
    await expectClosed(eve, 'all');
    expect(await ann.call('echo', 1)).toBe(1);
    expect(await dan.call('echo', 2)).toBe(2);
  });
});
