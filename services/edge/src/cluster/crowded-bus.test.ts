import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import type { FakeExchange } from '../sessions/fake-exchange.test-support.ts';
import { restCall } from '../sessions/rest/rest-call.test-support.ts';
import { json } from './cluster-member.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { joinPair, roundTrip } from './cluster-member.test-support.ts';

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
    a.waiting = 12 * MIB;
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
    a.waiting = 12 * MIB;
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
    a.waiting = 12 * MIB;
    const asking = restCall(a.edge, 'GET /api/hubs/chat/users/nobody');
    await roundTrip();
    expect(asking.status).toBe(404);
  });

  test('one that has said little goes on, beside one of another hub that has said much', async () => {
    const loud = await a.edge.server({ hub: 'loud' });
    a.waiting = 8 * MIB;
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
});
