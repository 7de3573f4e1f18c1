import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
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

  test('a REST call that says something is told to come again', async () => {
    const say = (): unknown[] => {
      const { status, body } = restCall(a.edge, 'POST /api/hubs/chat/:send', {
        body: '{"target":"say","arguments":[]}',
      });
      return [status, body];
    };
    a.waiting = 12 * MIB;
    expect(say()).toEqual([503, expect.stringContaining('no room for more')]);
    await roundTrip();
    expect(there.heard).toEqual([]);
    a.waiting = 0;
    expect(say()).toEqual([202, '{}']);
    await roundTrip();
    expect(there.heard).toHaveLength(1);
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
