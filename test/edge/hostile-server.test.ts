import { ByteWriter, encodeServiceMessage, MessageType as M } from '@trunkline/protocol';
import type { MessageFromServer } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import { expectAlive } from './support/alive.ts';
import { rawClient } from './support/raw-client.ts';
import { HubClient } from './support/hub-client.ts';
import { metric, scrape } from './support/metrics.ts';
import { mutated, randomBytes, seeded } from './support/seeded.ts';
import { sharedEdge } from './support/shared-edge.ts';

const HUB = 'hostile';

const { edge } = await sharedEdge();

const unreadable = async (): Promise<number> => {
  const { text } = await scrape(edge);
  const series = text.matchAll(/^trunkline_unreadable_messages_total\{.*\} (\d+)$/gm);
  return [...series].reduce((sum, [, count]) => sum + Number(count), 0);
};

const closes = (reason: string): Promise<number> =>
  metric(edge, 'trunkline_server_closes_total', { reason });

/** One service message: a body behind its true length. */
function framed(body: readonly number[]): Buffer {
  const writer = new ByteWriter();
  writer.varInt(body.length);
  writer.raw(Uint8Array.from(body));
  return Buffer.from(writer.view());
}

const handshake = (version: number): Buffer =>
  encodeServiceMessage({
    type: M.HandshakeRequest,
    version,
    connectionType: 0,
    target: '',
    migrationLevel: 0,
  });

/** After these nobody knows where the next message begins. */
const LENGTHS: [string, Buffer][] = [
  ['a length of 2 GB', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07, 0x93])],
  ['a length over 128 MiB', Buffer.from([0x80, 0x80, 0x80, 0x41, 0x93])],
  ['a length of six bytes', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x01])],
];

/** After these everybody does. */
const BODIES: [string, Buffer][] = [
  ['no body', Buffer.from([0])],
  ['a body that is no array', framed([0xa3, 0x61, 0x62, 0x63])],
  ['an array of 4 billion', framed([0xdd, 0xff, 0xff, 0xff, 0xff, 0x03])],
  ['an array without its elements', framed([0x93, 0x06])],
  ['a type that is no number', framed([0x92, 0xa1, 0x61, 0xa1, 0x61])],
  ['a text longer than its frame', framed([0x94, 0x06, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x61, 0x80])],
  ['4 billion ids', framed([0x94, 0x0a, 0xdd, 0xff, 0xff, 0xff, 0xff, 0x80, 0x80])],
  ['4 billion payloads', framed([0x94, 0x0a, 0x90, 0xdf, 0xff, 0xff, 0xff, 0xff, 0x80])],
  [
    'a payload longer than its frame',
    framed([0x94, 0x06, 0xa1, 0x61, 0xc6, 0xff, 0xff, 0xff, 0xff, 0x80]),
  ],
  ['a payload that is a number', framed([0x94, 0x06, 0xa1, 0x61, 0x07, 0x80])],
  ['a byte that starts no value', framed([0x94, 0x06, 0xa1, 0x61, 0xc1, 0x80])],
  [
    'deep nesting',
    framed([0x94, 0x0a, 0x90, 0x80, 0x81, 0x09, ...Array.from({ length: 60 }, () => 0x91), 0x01]),
  ],
];

describe('instead of a service handshake', () => {
  it.each([
    ...LENGTHS,
    ...BODIES,
    ['random bytes', randomBytes(1, 64)],
    ['text', Buffer.from('GET /server/ HTTP/1.1\r\n'.repeat(10))],
  ])('%s ends the connection', async (_name, bytes) => {
    const before = await closes('HandshakeError');
    const server = await FakeAppServer.dial(edge.url, { hub: HUB });
    server.writeRaw(bytes);
    expect((await server.closed).code).toBe(1000);
    expect(await closes('HandshakeError')).toBe(before + 1);
    await expectAlive(edge);
  });

  it.each([
    ['version 2', handshake(2), 'Version mismatch'],
    ['version -1', handshake(-1), 'Version mismatch'],
    ['a ping', encodeServiceMessage({ type: M.Ping, entries: [] }), 'ersion'],
    ['an id that nobody knows', framed([0x92, 0x7f, 0x01]), 'ersion'],
  ])('%s is refused in words', async (_name, bytes, says) => {
    const server = await FakeAppServer.dial(edge.url, { hub: HUB });
    server.writeRaw(bytes);
    expect((await server.closed).code).toBe(1000);
    expect(server.received.all).toHaveLength(1);
    const [response] = server.received.all;
    expect(response!.type).toBe(M.HandshakeResponse);
    expect((response as { errorMessage: string }).errorMessage).toContain(says);
    expect((await scrape(edge)).value('trunkline_server_connections', { hub: HUB })).toBe(0);
  });
});

describe('after the service handshake', () => {
  it.each(LENGTHS)(
    '%s ends the connection, and its clients may come back',
    async (_name, bytes) => {
      const before = await closes('BadRequest');
      const server = await FakeAppServer.connect(edge.url, { hub: HUB });
      const client = await HubClient.connect(edge.url, { hub: HUB });
      server.writeRaw(bytes);
      expect((await server.closed).code).toBe(1007);
      expect((await client.closed).code).toBe(1001);
      expect(client.received.all).toEqual([{ type: 7, allowReconnect: true }]);
      expect(await closes('BadRequest')).toBe(before + 1);
      await expectAlive(edge);
    },
  );

  it.each(BODIES)('%s costs nobody anything, and is counted', async (_name, bytes) => {
    await using server = await FakeAppServer.connect(edge.url, { hub: HUB });
    await using client = await HubClient.connect(edge.url, { hub: HUB });
    const before = await unreadable();
    server.writeRaw(bytes);
    expect(await client.call('echo', 1)).toBe(1);
    expect(await unreadable()).toBe(before + 1);
  });

  it('ids that nobody knows, unknown clients and what is not for us are passed over', async () => {
    await using server = await FakeAppServer.connect(edge.url, { hub: HUB });
    await using client = await HubClient.connect(edge.url, { hub: HUB });
    const connectionId = 'nobody';
    server.writeRaw(framed([0x92, 0x7f, 0x01]));
    server.writeRaw(framed([0x92, 0xcd, 0xff, 0xff, 0xa1, 0x61]));
    server.writeRaw(handshake(1));
    server.data(connectionId, Buffer.from('{}\x1e'));
    server.data('', Buffer.alloc(0));
    server.data('é'.repeat(10), Buffer.from('x'));
    server.write({ type: M.CloseConnection, connectionId, errorMessage: '', headers: new Map() });
    server.write({ type: M.JoinGroup, connectionId, group: 'g' });
    server.write({ type: M.Ping, entries: ['servers'] });
    server.write({ type: M.Ping, entries: ['odd', '', 'x'] });
    server.writeRaw(Buffer.alloc(0));
    expect(await client.call('echo', 1)).toBe(1);
  });

  it('a frame may come byte by byte', async () => {
    await using server = await FakeAppServer.connect(edge.url, { hub: HUB });
    await using client = await HubClient.connect(edge.url, { hub: HUB });
    const payload = Buffer.from('{"type":1,"target":"slowly","arguments":[]}\x1e');
    const message: MessageFromServer = {
      type: M.ConnectionData,
      connectionId: client.connectionId,
      payload,
    };
    for (const byte of encodeServiceMessage(message)) server.writeRaw(Uint8Array.of(byte));
    expect((await client.invocation('slowly')).arguments).toEqual([]);
  });

  it.each([
    ['no UTF-8 JSON', Buffer.from([0xff, 0x1e])],
    ['a hub message', Buffer.from('{"type":6}\x1e')],
    ['half of one', Buffer.from('{')],
  ])('a handshake response that is %s ends the client alone', async (_name, payload) => {
    await using server = await FakeAppServer.connect(edge.url, { hub: HUB, answers: 'nothing' });
    const client = await HubClient.open(edge.url, { hub: HUB });
    client.write('{"protocol":"json","version":1}\x1e');
    await server.opened(client.connectionId);
    server.data(client.connectionId, payload);
    await client.closed;
    expect((await client.handshake()).error).toBe('Connection closed with an error.');
    server.write({ type: M.CheckGroupExistenceWithAck, group: 'g', ackId: 1 });
    await server.received.first((message) => message.type === M.Ack, 'the ack');
  });
});

/** One of every message that an app server sends to a hub with clients. */
function samples(connectionId: string): MessageFromServer[] {
  const payloads = new Map([
    ['json', Buffer.from('{"type":6}\x1e')],
    ['messagepack', Buffer.from([2, 0x91, 6])],
  ]);
  const connectionIds = [connectionId, 'x'];
  const excludedConnectionIds = ['x'];
  const reason = 'why';
  const [group, userId, ackId] = ['g', 'u', 300];
  return [
    { type: M.Ping, entries: ['servers', '', 'status', '1'] },
    { type: M.Ping, entries: ['shutdown', 'fin:1'] },
    { type: M.ConnectionData, connectionId, payload: Buffer.from('{"type":6}\x1e') },
    { type: M.MultiConnectionData, connectionIds, payloads },
    { type: M.UserData, userId, payloads },
    { type: M.MultiUserData, userIds: ['u', 'v'], payloads },
    { type: M.BroadcastData, excludedConnectionIds, payloads },
    {
      type: M.GroupBroadcastData,
      group,
      excludedConnectionIds,
      excludedUserIds: ['v'],
      callerUserId: 'u',
      payloads,
    },
    { type: M.MultiGroupBroadcastData, groups: ['g', 'h'], payloads },
    { type: M.JoinGroup, connectionId, group },
    { type: M.LeaveGroup, connectionId, group },
    { type: M.JoinGroupWithAck, connectionId, group, ackId },
    { type: M.LeaveGroupWithAck, connectionId, group: undefined, ackId },
    { type: M.UserJoinGroup, userId, group, ttl: 5 },
    { type: M.UserJoinGroupWithAck, userId, group, ackId },
    { type: M.UserLeaveGroupWithAck, userId, group, ackId },
    { type: M.CheckUserInGroupWithAck, userId, group, ackId },
    { type: M.CheckConnectionExistenceWithAck, connectionId, ackId },
    {
      type: M.CloseConnection,
      connectionId,
      errorMessage: 'why',
      headers: new Map([['h', ['v']]]),
    },
    { type: M.CloseConnectionWithAck, connectionId, reason, ackId },
    { type: M.CloseConnectionsWithAck, reason, ackId, excludedConnectionIds: [connectionId] },
    { type: M.CloseUserConnectionsWithAck, userId, reason, ackId, excludedConnectionIds },
    { type: M.CloseGroupConnectionsWithAck, group, reason, ackId, excludedConnectionIds },
  ];
}

it('survives valid frames with a few bytes changed', async () => {
  const random = seeded(7);
  for (let round = 0; round < 60; round++) {
    const server = await FakeAppServer.connect(edge.url, { hub: HUB });
    // A bare socket: what reaches it is no hub message any more.
    const { socket, connectionId } = await rawClient(edge, HUB);
    const frames = samples(connectionId).map((message) => encodeServiceMessage(message));
    for (let i = 0; i < 20; i++) {
      server.writeRaw(mutated(frames[Math.floor(random() * frames.length)]!, random));
    }
    await server.close();
    await socket.ended;
  }
  await expectAlive(edge);
  const metrics = await scrape(edge);
  expect(metrics.value('trunkline_server_connections', { hub: HUB })).toBe(0);
  const labels = { hub: HUB, transport: 'webSockets' };
  expect(metrics.value('trunkline_client_connections', labels)).toBe(0);
});
