/** Client protocols reference, section 10: how messages are cut, coded and ordered on the wire. */
import { JsonHubProtocol } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { MessageType } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { HttpConnection } from '../edge/support/http-connection.ts';
import { HubClient, JSON_HANDSHAKE } from '../edge/support/hub-client.ts';
import { Opcode } from '../edge/support/raw-socket.ts';
import { sharedEdge } from '../edge/support/shared-edge.ts';
import { officialClient, TRANSPORT_LABELS, TRANSPORTS } from './support/official-client.ts';
import { RawHubClient } from './support/raw-hub-client.ts';

const KB = 1024;
const { edge, server } = await sharedEdge();
const url = `${edge.url}/client/?hub=chat`;

it('trap 1: clients get whole hub messages, however the app server cuts them', async () => {
  const json = new JsonHubProtocol();
  const kinds = [
    ...TRANSPORT_LABELS.map((label) => [label, json] as const),
    ['webSockets', new MessagePackHubProtocol()] as const,
    ['longPolling', new MessagePackHubProtocol()] as const,
  ];
  for (const [label, protocol] of kinds) {
    const connection = officialClient(url, { transport: TRANSPORTS[label], protocol });
    await connection.start();
    const heard: unknown[] = [];
    connection.on('tick', (n: number) => heard.push(n));
    const stream = Buffer.concat(
      [1, 2, 3].map((n) => {
        const text = protocol.writeMessage({ type: 1, target: 'tick', arguments: [n] });
        return typeof text === 'string' ? Buffer.from(text) : new Uint8Array(text);
      }),
    );
    const id = connection.connectionId!;
    for (let at = 0; at < stream.length; at += 5) server.data(id, stream.subarray(at, at + 5));
    await expect.poll(() => heard, { interval: 5 }).toEqual([1, 2, 3]);
    server.data(id, Buffer.concat([stream, stream]));
    await expect.poll(() => heard, { interval: 5 }).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
    await connection.stop();
  }
});

it('trap 2: what comes in Binary frames may be JSON, and JSON is answered in Text frames', async () => {
  await using java = await HubClient.open(edge.url);
  java.write(Buffer.from(JSON_HANDSHAKE));
  expect(await java.handshake()).toEqual({});
  const call = '{"type":1,"invocationId":"7","target":"echo","arguments":["é"]}\x1e';
  java.write(Buffer.from(call));
  // This client fails at any Binary frame.
  const completion = await java.received.first(({ type }) => type === 3, 'the completion');
  expect(completion).toMatchObject({ invocationId: '7', result: 'é' });
  java.write(call);
  await expect.poll(() => java.received.all.filter(({ type }) => type === 3)).toHaveLength(2);

  using python = await RawHubClient.open(edge.url);
  python.send(Opcode.Binary, '{"protocol": "messagepack", "version": 1}\x1e');
  expect(await python.next()).toEqual({ opcode: Opcode.Binary, payload: Buffer.from('{}\x1e') });
});

it('trap 3: a MessagePack handshake comes as text, by WebSocket and by post', async () => {
  using client = await RawHubClient.open(edge.url);
  client.text('{"protocol":"messagepack","version":1}');
  expect((await client.next()).opcode).toBe(Opcode.Binary);
  client.packed('95 01 80 a1 30 a4 65 63 68 6f 91 2a');
  expect(await client.next()).toMatchObject({ opcode: Opcode.Binary });

  const polling = await HttpConnection.negotiate(edge.url);
  await (await polling.poll()).text();
  const post = async (type: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> => {
    const response = await polling.post(body, { headers: { 'content-type': type } });
    expect(response.status).toBe(200);
  };
  await post('text/plain;charset=UTF-8', '{"protocol":"messagepack","version":1}\x1e');
  expect(await (await polling.poll()).text()).toBe('{}\x1e');
  const call = Uint8Array.from(Buffer.from('0c950180a130a46563686f912a', 'hex'));
  for (const type of ['application/octet-stream', 'text/plain', 'application/json']) {
    await post(type, call);
    const answer = Buffer.from(await (await polling.poll()).arrayBuffer());
    expect(answer.toString('hex')).toBe('07950380a130032a');
  }
});

it('trap 4: keys of a message come in any order, with or without spaces', async () => {
  using client = await RawHubClient.open(edge.url);
  client.text('{"protocol": "json", "version": 1}');
  expect(await client.nextTexts()).toEqual(['{}']);
  const calls = [
    '{"target":"echo","arguments":[{"type":7}],"invocationId":"1","type":1}',
    '{"type": 1, "invocationId": "2", "target": "echo", "arguments": [{"type": 7}]}',
    ' { "arguments" : [ { "type" : 7 } ] , "type" : 1 , "target" : "echo" , "invocationId" : "3" } ',
  ];
  for (const [n, call] of calls.entries()) {
    client.text('{"type": 6}', call);
    const wanted = { type: 3, invocationId: `${n + 1}`, result: { type: 7 } };
    expect((await client.nextTexts()).map((text) => JSON.parse(text))).toEqual([wanted]);
  }
});

it('trap 5: the limit is on one hub message, not on the WebSocket message that holds many', async () => {
  using client = await RawHubClient.connect(edge.url);
  const value = 'x'.repeat(30 * KB);
  const calls = Array.from({ length: 64 }, (_, n) =>
    JSON.stringify({ target: 'echo', arguments: [value], invocationId: `${n}`, type: 1 }),
  );
  client.text(...calls);
  const answered: string[] = [];
  while (answered.length < calls.length) answered.push(...(await client.nextTexts()));
  expect(
    answered.map((text) => (JSON.parse(text) as { invocationId: string }).invocationId),
  ).toEqual(calls.map((_, n) => `${n}`));
});

it('trap 31: nothing overtakes the handshake response, which the hub may be long in giving', async () => {
  await using slow = await FakeAppServer.connect(edge.url, { hub: 'slow', answers: 'nothing' });
  await using client = await HubClient.open(edge.url, { hub: 'slow' });
  client.write(JSON_HANDSHAKE);
  const { connectionId } = await slow.opened(client.connectionId);
  const tick = (n: number): Map<string, Uint8Array> =>
    new Map([['json', Buffer.from(`{"type":1,"target":"tick","arguments":[${n}]}\x1e`)]]);
  const excludedConnectionIds: string[] = [];
  const group = 'g';
  slow.write({ type: MessageType.JoinGroup, connectionId, group });
  slow.write({ type: MessageType.BroadcastData, payloads: tick(1), excludedConnectionIds });
  slow.write({
    type: MessageType.MultiConnectionData,
    payloads: tick(2),
    connectionIds: [connectionId],
  });
  slow.write({
    type: MessageType.GroupBroadcastData,
    payloads: tick(3),
    group,
    excludedConnectionIds,
    excludedUserIds: [],
    callerUserId: undefined,
  });
  slow.data(connectionId, Buffer.from('{}\x1e'));
  slow.write({ type: MessageType.BroadcastData, payloads: tick(4), excludedConnectionIds });
  // The first record that this client hears it takes for the response.
  expect(await client.handshake()).toEqual({});
  await expect.poll(() => client.received.all.at(-1)?.arguments).toEqual([4]);
  // What is for the client waits behind the response, in order, whomever else it is for.
  expect(client.received.all.map((message) => message.arguments)).toEqual([[1], [2], [3], [4]]);
});
