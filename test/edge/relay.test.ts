import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { HubConnection, IHubProtocol, InvocationMessage } from '@microsoft/signalr';
import { JsonHubProtocol } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { MessageType, RECORD_SEPARATOR } from '@trunkline/protocol';
import { FakeAppServer, startEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HubClient, JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { userToken } from './support/tokens.ts';

const MANY = 10_000;
const MEGABYTE = 1024 * 1024;

const { edge, server } = await sharedEdge();

async function connect(protocol: IHubProtocol): Promise<HubConnection> {
  const connection = new HubConnectionBuilder()
    .withUrl(`${edge.url}/client/?hub=chat`, {
      accessTokenFactory: () => userToken('chat', 'ann'),
      transport: HttpTransportType.WebSockets,
    })
    .withHubProtocol(protocol)
    .configureLogging(LogLevel.None)
    .build();
  await connection.start();
  return connection;
}

describe.each([
  ['json', new JsonHubProtocol()],
  ['messagepack', new MessagePackHubProtocol()],
] as const)('@microsoft/signalr with %s', (name, protocol) => {
  let connection: HubConnection;

  beforeAll(async () => {
    connection = await connect(protocol);
  });
  afterAll(() => connection.stop());

  it('is told to the app server with its protocol', async () => {
    const { protocol, claims, headers, queryString } = await server.opened(
      connection.connectionId!,
    );
    expect(protocol).toBe(name);
    expect(claims).toContainEqual(['asrs.s.uid', 'ann']);
    expect(headers.get('x-forwarded-for')).toEqual(['127.0.0.1']);
    for (const header of headers.keys()) {
      expect(header).not.toMatch(/^(authorization|connection|upgrade|sec-websocket-.*)$/i);
    }
    expect(queryString).toMatch(/^\?hub=chat/);
    expect(queryString).not.toContain('access_token');
  });

  it('gets 1 MB back as it sent it', async () => {
    const large = 'é'.repeat(MEGABYTE / 2);
    expect(await connection.invoke('echo', large)).toBe(large);
  });

  it(`gets ${MANY} answers in order`, async () => {
    const order: number[] = [];
    const calls = Array.from({ length: MANY }, async (_, index) => {
      order.push(await connection.invoke<number>('echo', index));
    });
    await Promise.all(calls);
    expect(order).toEqual(Array.from({ length: MANY }, (_, index) => index));
  });

  it(`hears ${MANY} invocations in order`, async () => {
    const heard: number[] = [];
    const all = new Promise<void>((resolve) => {
      connection.on('tick', (index: number) => {
        if (heard.push(index) === MANY) resolve();
      });
    });
    for (let index = 0; index < MANY; index++) {
      const message: InvocationMessage = { type: 1, target: 'tick', arguments: [index] };
      server.data(connection.connectionId!, bytesOf(protocol.writeMessage(message)));
    }
    await all;
    expect(heard).toEqual(Array.from({ length: MANY }, (_, index) => index));
  });
});

function bytesOf(message: string | ArrayBuffer): Uint8Array {
  return typeof message === 'string' ? Buffer.from(message) : new Uint8Array(message);
}

const tick = (value: unknown): Buffer =>
  Buffer.from(`${JSON.stringify({ type: 1, target: 'tick', arguments: [value] })}\x1e`);

describe('a client', () => {
  /** What the app server got of a client after its handshake request, hub message by hub message. */
  function receivedOf(connectionId: string): string[] {
    const payloads = server.received.all.flatMap((message) =>
      message.type === MessageType.ConnectionData && message.connectionId === connectionId
        ? [Buffer.from(message.payload).toString()]
        : [],
    );
    return payloads.slice(1).join('').split(String.fromCharCode(RECORD_SEPARATOR)).slice(0, -1);
  }

  it(`sends ${MANY} messages, many to a frame or one in many, which arrive in order`, async () => {
    await using client = await HubClient.connect(edge.url);
    const records = Array.from(
      { length: MANY },
      (_, n) => `{"type":1,"target":"n","arguments":[${n}]}`,
    );
    const stream = `${records.join('\x1e')}\x1e`;
    // Cuts of a prime length fall on every place in a record.
    for (let at = 0; at < stream.length; at += 997) client.write(stream.slice(at, at + 997));
    expect(await client.call('echo', 'last')).toBe('last');
    expect(receivedOf(client.connectionId).slice(0, -1)).toEqual(records);
  });

  it('sends 1 MB to a server that sends 1 MB back', async () => {
    await using client = await HubClient.connect(edge.url);
    const large = 'x'.repeat(MEGABYTE);
    expect(await client.call('echo', large)).toBe(large);
  });

  it('gets a message whole that its server cut up', async () => {
    await using client = await HubClient.connect(edge.url);
    const bytes = tick('x'.repeat(10_000));
    for (let at = 0; at < bytes.length; at += 997) {
      server.data(client.connectionId, bytes.subarray(at, at + 997));
    }
    expect((await client.invocation('tick')).arguments).toEqual(['x'.repeat(10_000)]);
  });

  it('may send its first calls with its handshake', async () => {
    await using client = await HubClient.open(edge.url);
    client.write(
      `${JSON_HANDSHAKE}{"type":1,"target":"echo","invocationId":"a","arguments":[1]}\x1e`,
    );
    expect(await client.handshake()).toEqual({});
    expect(await client.received.first(() => true, 'the completion')).toEqual({
      type: 3,
      invocationId: 'a',
      result: 1,
    });
  });

  it('ends its server connection only for itself', async () => {
    const client = await HubClient.connect(edge.url);
    await using other = await HubClient.connect(edge.url);
    const { connectionId } = client;
    await client.close();
    await server.received.first(
      (message) =>
        message.type === MessageType.CloseConnection && message.connectionId === connectionId,
      'the close',
    );
    server.data(connectionId, tick('too late'));
    expect(await other.call('echo', 'here')).toBe('here');
  });

  it('is ended by its server, with everything said before', async () => {
    const client = await HubClient.connect(edge.url);
    server.data(client.connectionId, tick('last words'));
    server.write({
      type: MessageType.CloseConnection,
      connectionId: client.connectionId,
      errorMessage: 'enough',
      headers: new Map(),
    });
    expect((await client.closed).code).toBe(1000);
    expect(client.received.all).toEqual([
      { type: 1, target: 'tick', arguments: ['last words'] },
      { type: 7, error: 'enough' },
    ]);
  });

  it('waits for an app server, and is served when one comes', async () => {
    const hub = 'late';
    await using client = await HubClient.open(edge.url, { hub });
    client.write(JSON_HANDSHAKE);
    await expect.poll(() => metric(edge, 'trunkline_clients_waiting')).toBe(1);
    await using _server = await FakeAppServer.connect(edge.url, { hub });
    expect(await client.handshake()).toEqual({});
    expect(await client.call('echo', 1)).toBe(1);
  });

  it('is told to come back when its app server goes and no other comes', async () => {
    await using hasty = await startEdge({ args: ['--server-wait', '1'] });
    const leaving = await FakeAppServer.connect(hasty.url);
    const client = await HubClient.connect(hasty.url);
    await leaving.cut();
    expect((await client.closed).code).toBe(1001);
    expect(client.received.all).toEqual([{ type: 7, allowReconnect: true }]);
  });
});

it('turns a client away when no app server comes', async () => {
  await using hasty = await startEdge({ args: ['--server-wait', '1'] });
  const client = await HubClient.open(hasty.url);
  client.write(JSON_HANDSHAKE);
  expect(await client.handshake()).toEqual({
    error: 'No app server is connected for this hub. Try again later.',
  });
  await client.closed;
  const reason = 'NoAvailableServerConnection';
  expect(await metric(hasty, 'trunkline_client_closes_total', { reason })).toBe(1);
});

it('lets nothing overtake the handshake response', async () => {
  const hub = 'eager';
  await using eager = await FakeAppServer.connect(edge.url, { hub, answers: 'nothing' });
  await using client = await HubClient.open(edge.url, { hub });
  client.write(JSON_HANDSHAKE);
  await eager.opened(client.connectionId);
  const ids = [client.connectionId];
  const payloads = (text: string): Map<string, Buffer> => new Map([['json', tick(text)]]);
  eager.write({
    type: MessageType.MultiConnectionData,
    connectionIds: ids,
    payloads: payloads('held'),
  });
  eager.write({
    type: MessageType.BroadcastData,
    excludedConnectionIds: [],
    payloads: payloads('held too'),
  });
  eager.data(client.connectionId, Buffer.from('{}\x1e'));
  eager.write({
    type: MessageType.BroadcastData,
    excludedConnectionIds: [],
    payloads: payloads('after'),
  });
  await client.received.first((message) => message.arguments?.[0] === 'after', 'the broadcast');
  expect(client.received.all.map((message) => message.arguments?.[0])).toEqual([
    'held',
    'held too',
    'after',
  ]);
});
