import { encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { SERVER_CLOSE_REASONS } from '../sessions/close-reason.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { usedOf } from '../sessions/fixtures.test-support.ts';
import type { FakeExchange } from '../sessions/fake-exchange.test-support.ts';
import { restCall } from '../sessions/rest/rest-call.test-support.ts';
import { json } from './cluster-member.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { joinPair, roundTrip } from './cluster-member.test-support.ts';
import { guestOf, house, serverAt } from './guests.test-support.ts';

const MIB = 1024 * 1024;
const toAll = {
  type: MessageType.BroadcastData,
  excludedConnectionIds: [],
  payloads: json,
} as const;

describe('while the bus has no room for more', () => {
  let a: Member;
  let server: FakeServer;
  let here: FakeClient;
  let there: FakeClient;

  beforeEach(async () => {
    const pair = await joinPair();
    ({ a, server } = pair);
    here = await a.edge.client(server);
    there = await pair.b.edge.client(pair.other);
    for (const { socket } of [here, there]) socket.sent.length = 0;
  });

  /** The bus has room again, and who has waited for it looks. */
  async function goOn(): Promise<void> {
    a.waiting = 0;
    a.edge.pass(0.01);
    await roundTrip();
  }

  test('what an app server says waits, and nothing of it is lost', async () => {
    a.waiting = 8 * MIB;
    server.says(toAll, toAll);
    await roundTrip();
    expect([here.heard, there.heard]).toEqual([[], []]);
    await goOn();
    const both = '{"n":1}␞'.repeat(2);
    expect([here.heard.join(''), there.heard.join('')]).toEqual([both, both]);
  });

  test.each([
    ['POST /api/hubs/chat/:send', '{"target":"say","arguments":[]}', 202],
    ['PUT /api/hubs/chat/users/ann/groups/g', '', 200],
    ['DELETE /api/hubs/chat/users/ann/groups', '', 204],
  ])('a REST call that says something is told to come again: %s', async (what, body, status) => {
    const call = (): FakeExchange => restCall(a.edge, what, { body });
    a.waiting = 8 * MIB;
    const idle = a.published.length + a.sentBytes;
    const refused = call();
    expect(refused.status).toBe(503);
    expect(refused.answered!.headers).toMatchObject({ 'retry-after': '1' });
    await roundTrip();
    const before = a.published.length + a.sentBytes;
    expect(before).toBe(idle);
    a.waiting = 0;
    const done = call();
    await roundTrip();
    expect([done.status, a.published.length + a.sentBytes > before]).toEqual([status, true]);
  });

  test('a REST call that only asks is answered', async () => {
    a.waiting = 8 * MIB;
    const asking = restCall(a.edge, 'GET /api/hubs/chat/users/nobody');
    await roundTrip();
    expect(asking.status).toBe(404);
  });

  test('one that has said little goes on, beside one of another hub that has said much', async () => {
    const loud = await a.edge.server({ hub: 'loud' });
    a.waiting = 4 * MIB;
    const long = { ...toAll, payloads: new Map([['json', Buffer.alloc(MIB)]]) };
    loud.says(long);
    loud.says(toAll);
    server.says(toAll);
    await roundTrip();
    expect([here.heard.length, there.heard.length]).toEqual([1, 1]);
    expect(a.published).toEqual(['hub.loud', 'hub.chat']);
    await goOn();
    expect(a.published).toEqual(['hub.loud', 'hub.chat', 'hub.loud']);
  });

  test('an app server that comes shakes hands, and waits then', async () => {
    a.waiting = 8 * MIB;
    const newcomer = await a.edge.server({ hub: 'chat' });
    expect(newcomer.session.takesClients).toBe(true);
    newcomer.says(toAll);
    await roundTrip();
    expect(there.heard).toEqual([]);
  });

  test('half a message that waits is not held against who has sent the whole', async () => {
    const whole = encodeServiceMessage(toAll);
    server.socket.receive(whole.subarray(0, 10));
    a.waiting = 8 * MIB;
    server.socket.receive(whole.subarray(10));
    await roundTrip();
    a.edge.passWith(server, 60);
    expect(server.socket.isOpen).toBe(true);
    await goOn();
    expect(there.heard).toEqual(['{"n":1}␞']);
  });

  test('what a gone app server has left is given up where all that waits is too much', async () => {
    a.waiting = 8 * MIB;
    server.says(toAll);
    server.socket.leave(1006);
    expect(usedOf(a.edge.context.pools, 'backlog_from_servers')).toBeGreaterThan(0);
    server.session.close(SERVER_CLOSE_REASONS.flood);
    expect(usedOf(a.edge.context.pools, 'backlog_from_servers')).toBe(0);
    await goOn();
    expect(there.heard).toEqual([]);
  });
});

test('what is said to guests of another edge waits for the bus, after a little', async () => {
  const { owner, host } = await house();
  const server = await serverAt(host);
  const guest = await guestOf(server, owner);
  const before = host.sentBytes;
  Object.defineProperty(host, 'waiting', { get: () => host.sentBytes - before });
  const payload = Buffer.alloc(MIB / 4, ' ');
  const data = { type: MessageType.ConnectionData, connectionId: guest.id, payload } as const;
  server.says(...Array.from({ length: 100 }, () => data));
  await roundTrip();
  expect(host.sentBytes - before).toBeGreaterThan(4 * MIB);
  expect(host.sentBytes - before).toBeLessThan(5 * MIB);
});

test('more than a bus takes in one piece ends a guest, as it would be too slow for it', async () => {
  const { owner, host } = await house();
  const server = await serverAt(host);
  const guest = await guestOf(server, owner);
  const before = host.sentBytes;
  const payload = Buffer.alloc(16 * MIB + 1, ' ');
  server.says({ type: MessageType.ConnectionData, connectionId: guest.id, payload });
  await roundTrip();
  expect(host.sentBytes - before).toBeLessThan(MIB);
  expect(guest.socket.isOpen).toBe(false);
});
