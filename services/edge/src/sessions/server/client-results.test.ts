import type { ClientInvocation, MessageFromServer } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import { payloads, TestEdge } from '../fixtures.test-support.ts';

let edge: TestEdge;
let host: FakeServer;
let other: FakeServer;
let client: FakeClient;

const ASKED = '{"type":1,"invocationId":"i","target":"confirm","arguments":[]}␞';

const ask = (callerServerId: string, connectionId = client.id): ClientInvocation => ({
  type: MessageType.ClientInvocation,
  invocationId: 'i',
  connectionId,
  callerServerId,
  payloads: payloads({ json: ASKED }),
});

const completion = (payload: string): MessageFromServer => ({
  type: MessageType.ClientCompletion,
  invocationId: 'i',
  connectionId: client.id,
  callerServerId: 'host',
  protocol: 'json',
  payload: Buffer.from(payload),
});

beforeEach(async () => {
  edge = new TestEdge();
  host = await edge.server({ serverId: 'host' });
  client = await edge.client(host);
  other = await edge.server({ serverId: 'other' });
  await host.messages();
});

describe('a client result', () => {
  test('of its own client comes to a server by the client alone', async () => {
    host.says(ask('host'));
    expect(client.heard).toEqual([ASKED]);
    host.says(completion(''));
    expect(await host.messages()).toEqual([]);
  });

  test("of another server's client is announced to that server and handed on from it", async () => {
    other.says(ask('other'));
    expect(client.heard).toEqual([ASKED]);
    expect(await host.messages()).toEqual([{ ...ask('other'), payloads: new Map() }]);
    host.says(completion('answer'));
    expect(await other.messages()).toMatchObject([
      { type: MessageType.ClientCompletion, invocationId: 'i', payload: Buffer.from('answer') },
    ]);
  });

  test('of a client whose server cannot pass it on is refused at once', async () => {
    const userAgent = 'Microsoft.Azure.SignalR/1.15.2';
    const old = await edge.server({ serverId: 'old', userAgent });
    const affinity = { sticky: 'Preferred', serverName: 'old' } as const;
    const { id } = await edge.client(old, { affinity });
    await old.messages();
    other.says(ask('other', id));
    expect(await old.messages()).toEqual([]);
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        error: `Connection '${id}' has an app server too old to ask.`,
      },
    ]);
  });

  test('is handed on once, and from the connection that was asked alone', async () => {
    other.says(ask('other'));
    host.says({ ...completion('forged'), connectionId: 'somebody' } as MessageFromServer);
    host.says(completion('answer'), completion('again'));
    expect(await other.messages()).toMatchObject([{ payload: Buffer.from('answer') }]);
  });

  test('of nobody is an error at once', async () => {
    other.says(ask('other', 'nobody'));
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        invocationId: 'i',
        callerServerId: 'other',
        error: "Connection 'nobody' does not exist.",
      },
    ]);
  });

  test('of a client that leaves is an error for another server; its own knows by itself', async () => {
    other.says(ask('other'));
    host.says({ ...ask('host'), invocationId: 'j' });
    await host.messages();
    client.socket.leave(1000);
    expect(await other.messages()).toMatchObject([
      { type: MessageType.ErrorCompletion, error: `Connection '${client.id}' disconnected.` },
    ]);
    expect((await host.messages()).map(({ type }) => type)).toEqual([MessageType.CloseConnection]);
  });

  test('is an error too for another connection of its own server, which may have lost its host', async () => {
    const second = await edge.server({ serverId: 'host' });
    second.says(ask('host'));
    client.socket.leave(1000);
    expect(await second.messages()).toMatchObject([{ type: MessageType.ErrorCompletion }]);
  });

  test('that never comes is an error after ten minutes', async () => {
    other.says(ask('other'));
    edge.context.results.expire(edge.now + 10 * 60 * 1000 - 1);
    expect(await other.messages()).toEqual([]);
    edge.context.results.expire(edge.now + 10 * 60 * 1000);
    expect(await other.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        error: `Connection '${client.id}' did not answer in time.`,
      },
    ]);
  });

  test('finds its way to another connection of the server that asked', async () => {
    const second = await edge.server({ serverId: 'other' });
    other.says(ask('other'));
    other.socket.leave(1000);
    await second.messages();
    host.says(completion('answer'));
    expect(await second.messages()).toMatchObject([{ payload: Buffer.from('answer') }]);
  });
});
