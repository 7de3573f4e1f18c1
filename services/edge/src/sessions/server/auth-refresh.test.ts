import type { Claims, MessageFromService, RefreshAuth, Timestamp } from '@trunkline/protocol';
import { AckStatus, decodeClaims, MessageType, NEVER } from '@trunkline/protocol';
import type { ClientTokenOptions } from '@trunkline/tokens';
import { AccessKeys } from '@trunkline/tokens';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Guest } from '../client/http/door.test-support.ts';
import { TestHttpEdge } from '../client/http/door.test-support.ts';
import { admitted, tokenFor } from '../client/visits.test-support.ts';
import type { FakeServer } from '../fixtures.test-support.ts';
import { FakeClient, JSON_HANDSHAKE, turn } from '../fixtures.test-support.ts';

/** Service protocol reference, section 18.6. */

const ANN: ClientTokenOptions['claims'] = { role: 'reader' };
const LONG_ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
/** What the package sends of a user: long types, unmapped. */
const WRITER: Claims = [
  ['asrs.s.uid', 'ann'],
  [LONG_ROLE, 'writer'],
  [LONG_ROLE, 'admin'],
];

let edge: TestHttpEdge;
let server: FakeServer;

beforeEach(async () => {
  edge = new TestHttpEdge();
  server = await edge.server();
});

/** A client of Ann's over a WebSocket, open at the server, which has read what came. */
async function connected(options: Partial<ClientTokenOptions> = {}) {
  const guest = edge.guest({ userId: 'ann', claims: ANN, ...options });
  const session = admitted(edge.connect(edge.request(guest)));
  const client = new FakeClient(session);
  client.says(JSON_HANDSHAKE);
  server.data(client, '{}␞');
  await server.messages();
  return { ...guest, client, session };
}

const seconds = (from = 0): Timestamp => ({
  seconds: Math.floor(edge.context.time.unixSeconds()) + from,
  nanoseconds: 0,
});

function refresh(
  { connectionToken }: Pick<Guest, 'connectionToken'>,
  { claims = WRITER, expireTime = NEVER }: Partial<RefreshAuth> = {},
  by = server,
): void {
  by.says({ type: MessageType.RefreshAuth, connectionToken, claims, expireTime, ackId: 7 });
}

function ackOf(messages: readonly MessageFromService[]) {
  const ack = messages.find((message) => message.type === MessageType.Ack)!;
  return { status: ack.status, message: ack.message, claims: decodeClaims(ack.payload) };
}

function updateOf(messages: readonly MessageFromService[]) {
  return messages.find((message) => message.type === MessageType.UpdateConnectionClaims);
}

async function answered(by = server): Promise<MessageFromService[]> {
  return (await by.messages()).filter(({ type }) => type !== MessageType.Ping);
}

describe('new claims', () => {
  test('are told to the app server of the client, then confirmed as tokens have them', async () => {
    const guest = await connected();
    refresh(guest);
    const [update, ack, ...more] = await answered();
    expect(update).toMatchObject({
      type: MessageType.UpdateConnectionClaims,
      connectionId: guest.id,
      claims: expect.arrayContaining([
        ['asrs.s.uid', 'ann'],
        [LONG_ROLE, 'writer'],
        [LONG_ROLE, 'admin'],
      ]) as unknown,
    });
    expect(ackOf([ack!])).toStrictEqual({
      status: AckStatus.Ok,
      message: '',
      claims: [
        ['asrs.s.uid', 'ann'],
        ['role', 'writer'],
        ['role', 'admin'],
      ],
    });
    expect(more).toStrictEqual([]);
  });

  test('are what another app server is told of the client, and whoever asks', async () => {
    edge = new TestHttpEdge({ migration: 'always' });
    server = await edge.server();
    const other = await edge.server({ serverId: 'server-2' });
    const guest = await connected();
    refresh(guest, {}, other);
    expect(ackOf(await answered(other)).status).toBe(AckStatus.Ok);
    expect(updateOf(await answered())).toBeDefined();
    const { connectionToken } = guest;
    other.says({ type: MessageType.GetConnectionClaims, connectionToken, ackId: 8 });
    expect(ackOf(await answered(other)).claims).toContainEqual(['role', 'admin']);
    server.socket.leave(1006);
    const opened = (await answered(other)).find(({ type }) => type === MessageType.OpenConnection);
    expect(opened).toMatchObject({
      connectionId: guest.id,
      claims: expect.arrayContaining([[LONG_ROLE, 'admin']]) as unknown,
    });
    expect(JSON.stringify(opened)).not.toContain('reader');
  });

  test('are what the first app server is told of a client that waits for one', async () => {
    edge = new TestHttpEdge();
    const weak = edge.strangeServer({ serverId: 'weak' });
    weak.shakesHands(2);
    await weak.messages();
    const guest = edge.guest({ userId: 'ann', claims: ANN });
    new FakeClient(admitted(edge.connect(edge.request(guest)))).says(JSON_HANDSHAKE);
    refresh(guest, {}, weak);
    expect(ackOf(await answered(weak)).status).toBe(AckStatus.Ok);
    server = edge.strangeServer();
    server.shakesHands();
    const opened = (await answered()).find(({ type }) => type === MessageType.OpenConnection);
    expect(opened).toMatchObject({
      claims: expect.arrayContaining([[LONG_ROLE, 'admin']]) as unknown,
    });
  });

  test('none given: those it has are confirmed, and nobody is told', async () => {
    const guest = await connected();
    refresh(guest, { claims: [] });
    const messages = await answered();
    expect(updateOf(messages)).toBeUndefined();
    expect(ackOf(messages).claims).toStrictEqual([
      ['asrs.s.uid', 'ann'],
      ['role', 'reader'],
    ]);
  });

  test('the same again: confirmed, and nobody is told', async () => {
    const guest = await connected();
    refresh(guest);
    await server.messages();
    refresh(guest);
    const messages = await answered();
    expect(updateOf(messages)).toBeUndefined();
    expect(ackOf(messages).status).toBe(AckStatus.Ok);
  });

  test.each([
    ['Microsoft.Azure.SignalR/1.33.0 (.NET 8)', false],
    ['Microsoft.Azure.SignalR/1.34.0-rtm (.NET 11)', true],
    ['trunkline-sdk/0.1.0', true],
  ])('%s is told: %s', async (userAgent, told) => {
    server.socket.leave(1006);
    server = await edge.server({ userAgent });
    refresh(await connected());
    const messages = await answered();
    expect(updateOf(messages) !== undefined).toBe(told);
    expect(ackOf(messages).status).toBe(AckStatus.Ok);
  });

  test('take the place of the old ones in memory', async () => {
    const guest = await connected({ claims: { note: 'a'.repeat(1000) } });
    for (let i = 0; i < 10; i++) refresh(guest, { claims: [...WRITER, ['n', String(i)]] });
    expect(guest.session.introduction.tokenPayload).toBe(
      '{"asrs.s.uid":"ann","role":["writer","admin"],"n":"9"}',
    );
  });

  test('over what may be kept of a client change nothing', async () => {
    const guest = await connected();
    refresh(guest, { claims: [...WRITER, ['note', 'a'.repeat(16 * 1024)]] });
    const messages = await answered();
    expect(updateOf(messages)).toBeUndefined();
    expect(ackOf(messages)).toMatchObject({
      status: AckStatus.InternalServerError,
      message: expect.stringContaining('16384') as unknown,
    });
    expect(guest.session.introduction.tokenPayload).toContain('reader');
  });
});

describe('whose connection', () => {
  test.each([
    ['another user', [['asrs.s.uid', 'bob']]],
    ['another user by name identifier', [['nameid', 'bob']]],
    ['nobody', [['role', 'admin']]],
  ] as [string, Claims][])('claims of %s are forbidden, and it stays', async (_, claims) => {
    const guest = await connected();
    refresh(guest, { claims });
    const messages = await answered();
    expect(updateOf(messages)).toBeUndefined();
    expect(ackOf(messages)).toMatchObject({ status: AckStatus.Forbidden, claims: [] });
    expect(guest.session.isOpen).toBe(true);
    expect(guest.session.introduction.tokenPayload).toContain('reader');
  });

  test('one that has not connected yet, is gone, or never was is not found', async () => {
    const pending = edge.guest({ userId: 'ann' });
    const gone = await connected();
    gone.client.socket.leave(1001);
    await server.messages();
    const forged = { connectionToken: `${(await connected()).id}.zz.${'A'.repeat(22)}` };
    for (const guest of [pending, gone, forged, { connectionToken: '' }]) {
      refresh(guest);
      const { connectionToken } = guest;
      server.says({ type: MessageType.GetConnectionClaims, connectionToken, ackId: 8 });
      expect(await server.heard()).toStrictEqual([
        ['ack', 7, AckStatus.NotFound],
        ['ack', 8, AckStatus.NotFound],
      ]);
    }
  });

  test('an id is no token, which negotiate version 0 has none of', async () => {
    const guest = await connected();
    refresh({ connectionToken: guest.id });
    expect(await server.heard()).toStrictEqual([['ack', 7, AckStatus.NotFound]]);
  });

  test('app servers of other hubs do not find it', async () => {
    const stranger = await edge.server({ hub: 'other' });
    const guest = await connected();
    refresh(guest, {}, stranger);
    expect(await stranger.heard()).toStrictEqual([['ack', 7, AckStatus.NotFound]]);
    expect(guest.session.introduction.tokenPayload).toContain('reader');
  });
});

describe('the end of the sign-in', () => {
  const signIn = () => ({ system: { closeOnAuthExpirationAt: seconds(10).seconds } });

  test('is put off, and told', async () => {
    const guest = await connected(signIn());
    const expireTime = seconds(30);
    refresh(guest, { expireTime });
    const messages = await answered();
    expect(ackOf(messages).claims).toContainEqual(['asrs.s.aeo', String(expireTime.seconds)]);
    expect(updateOf(messages)).toBeDefined();
    edge.passWith(server, 29);
    expect(guest.session.isOpen).toBe(true);
    edge.passWith(server, 2);
    expect(edge.closes).toStrictEqual({ SignInExpired: 1 });
  });

  test('is put off without new claims too', async () => {
    const guest = await connected(signIn());
    refresh(guest, { claims: [], expireTime: seconds(30) });
    edge.passWith(server, 20);
    expect(guest.session.isOpen).toBe(true);
  });

  test('stays where no time is given', async () => {
    const guest = await connected(signIn());
    refresh(guest);
    expect(ackOf(await answered()).claims).toContainEqual(['asrs.s.coae', 'true']);
    edge.passWith(server, 11);
    expect(edge.closes).toStrictEqual({ SignInExpired: 1 });
  });

  test('comes at once where it is over', async () => {
    const guest = await connected(signIn());
    refresh(guest, { expireTime: { seconds: -1, nanoseconds: 0 } });
    edge.passWith(server, 1);
    expect(guest.session.isOpen).toBe(false);
  });

  test('means nothing to connections that outlive it', async () => {
    const guest = await connected();
    refresh(guest, { expireTime: seconds(1) });
    expect(ackOf(await answered()).claims).not.toContainEqual(['asrs.s.coae', 'true']);
    edge.passWith(server, 5);
    expect(guest.session.isOpen).toBe(true);
  });

  test('comes to a connection whose new claims say so, and are confirmed once', async () => {
    const guest = await connected();
    refresh(guest, { claims: [...WRITER, ['asrs.s.coae', 'true'], ['asrs.s.aeo', '1']] });
    expect(ackOf(await answered()).claims).toStrictEqual([
      ['asrs.s.uid', 'ann'],
      ['role', 'writer'],
      ['role', 'admin'],
      ['asrs.s.coae', 'true'],
      ['asrs.s.aeo', '1'],
    ]);
    edge.passWith(server, 1);
    expect(guest.session.isOpen).toBe(false);
  });

  test('does not come any more to one whose new claims say that it need not', async () => {
    const guest = await connected(signIn());
    refresh(guest, { claims: [...WRITER, ['asrs.s.coae', 'false']] });
    edge.passWith(server, 11);
    expect(guest.session.isOpen).toBe(true);
  });

  test('is none where new claims ask for a close, and no time was ever given', async () => {
    const guest = await connected();
    refresh(guest, { claims: [...WRITER, ['asrs.s.coae', 'true']] });
    const { claims } = ackOf(await answered());
    expect(claims.map(([type]) => type)).not.toContain('asrs.s.aeo');
    edge.passWith(server, 11);
    expect(guest.session.isOpen).toBe(true);
  });
});

describe('the token of a refresh', () => {
  test('is good for polls and posts of the same connection', async () => {
    const guest = edge.guest({ userId: 'ann', claims: ANN });
    edge.poll(guest);
    edge.post(guest, JSON_HANDSHAKE);
    server.data(guest, '{}␞');
    await server.messages();
    expect(edge.poll(guest).body).toBe('{}␞');
    refresh(guest);
    const { claims } = ackOf(await answered());
    const accessToken = tokenFor(edge, {
      userId: 'ann',
      claims: { role: claims.filter(([type]) => type === 'role').map(([, value]) => value) },
      lifetimeSeconds: 1800,
    });
    expect(accessToken).not.toBe(guest.accessToken);
    const renewed = { ...guest, accessToken };
    expect(edge.post(renewed, '{"type":6}␞').status).toBe(200);
    const poll = edge.poll(renewed);
    server.data(guest, '{"type":6}␞');
    await turn();
    expect(poll.body).toBe('{"type":6}␞');
  });

  test('outlives its own time on the connection, as the first one does', async () => {
    const guest = edge.guest({ userId: 'ann' });
    edge.poll(guest);
    edge.post(guest, JSON_HANDSHAKE);
    server.data(guest, '{}␞');
    const accessToken = tokenFor(edge, { userId: 'ann', lifetimeSeconds: 60 });
    const renewed = { ...guest, accessToken };
    expect(edge.post(renewed, '{"type":6}␞').status).toBe(200);
    for (let i = 0; i < 30; i++) {
      edge.poll(renewed);
      edge.passWith(server, 3);
    }
    expect(edge.post(renewed, '{"type":6}␞').status).toBe(200);
    const stranger = tokenFor(edge, { userId: 'ann', lifetimeSeconds: -1 });
    expect(edge.post({ ...guest, accessToken: stranger }, '{"type":6}␞').status).toBe(401);
  });
});

test('a connection whose keys are gone is not found', async () => {
  const guest = await connected();
  edge.context.tokens.keys = new AccessKeys(['others']);
  refresh(guest);
  expect(await server.heard()).toStrictEqual([['ack', 7, AckStatus.NotFound]]);
});
