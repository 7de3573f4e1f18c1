import type { ClientInvocation, MessageFromServer } from '@trunkline/protocol';
import { FlowControlOperation, MessageType, NEVER } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { payloads } from '../sessions/fixtures.test-support.ts';
import { SendResult } from '../ports/socket.ts';
import { mintConnectionToken } from '../sessions/connection-token.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';
import { guestOf, house, serverAt } from './guests.test-support.ts';

let owner: Member;
let host: Member;
let third: Member;
let server: FakeServer;
let client: FakeClient;

const ASKED = '{"type":1,"invocationId":"i","target":"confirm","arguments":[]}␞';

const ask = (callerServerId: string): ClientInvocation => ({
  type: MessageType.ClientInvocation,
  invocationId: 'i',
  connectionId: client.id,
  callerServerId,
  payloads: payloads({ json: ASKED }),
});

const completion = (callerServerId: string, payload: string): MessageFromServer => ({
  type: MessageType.ClientCompletion,
  invocationId: 'i',
  connectionId: client.id,
  callerServerId,
  protocol: 'json',
  payload: Buffer.from(payload),
});

/** Nobody waits for it any more, at any edge. */
function expectNobodyWaits(): void {
  for (const { edge } of [owner, host, third]) {
    expect(edge.context.results.awaits(client.session)).toBe(false);
  }
}

beforeEach(async () => {
  const { broker, ...edges } = await house();
  ({ owner, host } = edges);
  third = join(broker, 'third');
  await settle(owner, host, third);
  server = await serverAt(host);
  client = await guestOf(server, owner);
});

describe('a result of a client that is served from another edge', () => {
  const answered = '{"type":3,"invocationId":"i","result":1}␞';

  test('comes to its own app server by the client alone', async () => {
    server.says(ask('server-1'));
    await roundTrip();
    expect(client.heard).toEqual([ASKED]);
    client.says(answered);
    await roundTrip();
    expect(await server.heard()).toEqual([['data', client.id, answered]]);
    server.says(completion('server-1', ''));
    await roundTrip();
    expectNobodyWaits();
  });

  test.each([
    ['the edge of its app server', () => host],
    ['its own edge', () => owner],
    ['a third edge', () => third],
  ])('is handed on to an app server of %s', async (_where, at) => {
    const asker = await serverAt(at(), { serverId: 'asker' });
    asker.says(ask('asker'));
    await roundTrip();
    expect(client.heard).toEqual([ASKED]);
    expect(await server.messages()).toEqual([{ ...ask('asker'), payloads: new Map() }]);
    client.says(answered);
    await roundTrip();
    server.says(completion('asker', 'answer'));
    await roundTrip();
    expect(await asker.messages()).toMatchObject([
      { type: MessageType.ClientCompletion, invocationId: 'i', payload: Buffer.from('answer') },
    ]);
    expectNobodyWaits();
  });

  test.each([
    ['the client goes', () => client.socket.leave(1000)],
    ['its app server is lost', () => server.socket.leave(1006)],
    ['the line to its app server is lost', () => owner.gap('host', 'missing')],
  ])('is an error when %s', async (_what, happens) => {
    const asker = await serverAt(owner, { serverId: 'asker' });
    asker.says(ask('asker'));
    await roundTrip();
    happens();
    await roundTrip();
    expect(await asker.messages()).toMatchObject([{ type: MessageType.ErrorCompletion }]);
    expectNobodyWaits();
  });

  test('is not taken from another app server than its own', async () => {
    const asker = await serverAt(owner, { serverId: 'asker' });
    const forger = await serverAt(host, { serverId: 'forger' });
    asker.says(ask('asker'));
    await roundTrip();
    forger.says(completion('asker', 'forged'));
    await roundTrip();
    expect(await asker.messages()).toEqual([]);
  });
});

test('its streams rest while it does not read', async () => {
  const operations = async (): Promise<number[]> =>
    (await server.messages()).flatMap((message) =>
      message.type === MessageType.ConnectionFlowControl ? [message.operation] : [],
    );
  client.socket.answer = SendResult.Queued;
  client.socket.buffered = 40 * 1024;
  server.data(client, '{"type":6}␞');
  await roundTrip();
  expect(await operations()).toEqual([FlowControlOperation.Pause]);
  client.socket.drain();
  await roundTrip();
  expect(await operations()).toEqual([FlowControlOperation.Resume]);
});

test('a new sign-in of it comes to its app server, and to who asked', async () => {
  const asker = await serverAt(owner, { serverId: 'asker' });
  const grant = { id: client.id, hub: 'chat', userId: undefined, connectBy: 1_000 };
  const connectionToken = mintConnectionToken(grant, owner.edge.context.tokens.keys.all[0]!);
  for (const [by, role] of [
    [server, 'reader'],
    [asker, 'writer'],
  ] as const) {
    by.says({
      type: MessageType.RefreshAuth,
      connectionToken,
      claims: [['role', role]],
      expireTime: NEVER,
      ackId: 7,
    });
    await roundTrip();
    const updates = (await server.messages()).filter(
      ({ type }) => type === MessageType.UpdateConnectionClaims,
    );
    expect(updates).toMatchObject([{ connectionId: client.id }]);
  }
  expect(await asker.messages()).toMatchObject([{ type: MessageType.Ack, status: 1 }]);
});
