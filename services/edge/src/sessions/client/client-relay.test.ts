import { encodeClose, encodePing, MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import { SendResult } from '../../ports/socket.ts';
import { MESSAGEPACK_HANDSHAKE, payloads, readable, TestEdge } from '../fixtures.test-support.ts';

const CALL = '{"type":1,"invocationId":"1","target":"a","arguments":[]}␞';
const RESULT = '{"type":3,"invocationId":"1","result":null}␞';
const PING = '{"type":6}␞';
const BINARY_PING = readable(encodePing(true));

describe('from client to server', () => {
  test('messages pass on whole, many to a frame', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server);
    client.says(CALL + PING + CALL);
    client.says(PING);
    expect(await server.heard()).toEqual([
      ['data', client.id, CALL + PING + CALL],
      ['data', client.id, PING],
    ]);
    expect(server.socket.bytes).toHaveLength(3);
    expect(edge.context.counters.messagesFromClients).toBe(4);
    expect(edge.context.counters.messagesToServers).toBe(4);
  });

  test('half messages are kept until their rest comes', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server, { handshake: MESSAGEPACK_HANDSHAKE });
    client.says(BINARY_PING + BINARY_PING.slice(0, 1));
    client.says(BINARY_PING.slice(1, 2));
    expect(await server.heard()).toEqual([['data', client.id, BINARY_PING]]);
    client.says(BINARY_PING.slice(2) + BINARY_PING);
    expect(await server.heard()).toEqual([
      ['data', client.id, BINARY_PING],
      ['data', client.id, BINARY_PING],
    ]);
  });

  test('payloads of any size arrive as they were', async () => {
    const edge = new TestEdge({ hubMessageBytes: 3 * 1024 * 1024 });
    const server = await edge.server();
    const client = await edge.client(server);
    const messages = [1, 200, 300, 65_535, 65_536, 70_000, 2_000_000].map(
      (size) => `${'x'.repeat(size)}␞`,
    );
    for (const message of messages) client.says(message);
    expect(await server.heard()).toEqual(messages.map((text) => ['data', client.id, text]));
  });

  test('a message over the limit closes the client with the reason that ASP.NET gives', async () => {
    const edge = new TestEdge({ hubMessageBytes: 1000 });
    const server = await edge.server();
    const client = await edge.client(server);
    client.says(`${'x'.repeat(999)}␞${'y'.repeat(999)}␞`);
    expect(client.socket.isOpen).toBe(true);
    client.says('x'.repeat(500));
    client.says('x'.repeat(500));
    expect(client.heard).toEqual([
      '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}␞',
    ]);
    expect(edge.closes).toEqual({ BadRequest: 1 });
    const heard = await server.heard();
    expect(heard.at(-1)).toEqual(['close', client.id, '']);
    expect(heard).toHaveLength(2);
  });

  test('bytes that are no binary records close the client', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server, { handshake: MESSAGEPACK_HANDSHAKE });
    client.says('\xff\xff\xff\xff\xff\xff');
    expect(client.socket.sent).toEqual([
      { text: readable(encodeClose(true, 'Connection closed with an error.', true)), binary: true },
    ]);
    expect(edge.closes).toEqual({ BadRequest: 1 });
    expect([...edge.context.counters.protocolErrors.entries()]).toEqual([['client|bad-length', 1]]);
  });
});

describe('from server to client', () => {
  test('a half message is joined: clients need whole ones', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server);
    server.data(client, PING + RESULT.slice(0, 10));
    server.data(client, RESULT.slice(10, 20));
    server.data(client, RESULT.slice(20) + PING);
    expect(client.heard).toEqual([PING, RESULT + PING]);
  });

  test.each([
    [MESSAGEPACK_HANDSHAKE, BINARY_PING, true],
    ['{"protocol":"blazorpack","version":1}␞', BINARY_PING, true],
    ['{"protocol":"json","version":1}␞', PING, false],
  ])('after %s frames have the opcode of the protocol', async (handshake, message, binary) => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server, { handshake });
    server.data(client, message);
    server.says({
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: payloads({ json: PING, messagepack: BINARY_PING, blazorpack: BINARY_PING }),
    });
    expect(client.socket.sent).toEqual([
      { text: message, binary },
      { text: message, binary },
    ]);
  });

  test('a client that does not take the first of two messages is closed once', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server);
    server.data(client, RESULT.slice(0, 10));
    client.socket.answer = SendResult.Dropped;
    server.data(client, RESULT.slice(10) + PING + PING);
    expect(client.socket.cut).toBe(true);
    expect(edge.closes).toEqual({ SlowClient: 1 });
    expect(edge.context.counters.slowClients).toBe(1);
    expect(await server.heard()).toEqual([['close', client.id, '']]);
  });

  test('what is not framed as hub messages closes the client', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server, { handshake: MESSAGEPACK_HANDSHAKE });
    server.data(client, '\xff\xff\xff\xff\xff\xff');
    expect(edge.closes).toEqual({ BadServerData: 1 });
    expect(client.socket.ended?.code).toBe(1011);
    expect(await server.heard()).toEqual([['close', client.id, '']]);
  });

  test('a record that announces more than a server may send closes the client', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server, { handshake: MESSAGEPACK_HANDSHAKE });
    // 1 GiB.
    server.data(client, '\x80\x80\x80\x80\x04');
    expect(edge.closes).toEqual({ BadServerData: 1 });
  });

  test('data for clients that are unknown, gone or of another server is dropped', async () => {
    const edge = new TestEdge();
    const [server, other] = [await edge.server(), await edge.server()];
    const client = await edge.client(server);
    const gone = await edge.client(other);
    gone.socket.leave(1000);
    const successor = edge.strangeClient();
    other.data(client, PING);
    server.data(gone, PING);
    server.data({ id: 'nobody' }, PING);
    server.data({ id: 'x'.repeat(40) }, PING);
    expect(client.heard).toEqual([]);
    expect(successor.heard).toEqual([]);
    expect(edge.context.counters.unknownConnections).toBe(4);
    expect(server.socket.isOpen).toBe(true);
  });

  test('a long or wide id finds its client, too', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = await edge.client(server);
    // str8 instead of fixstr: the general decoder's case.
    const id = Buffer.from(client.id);
    const body = Buffer.concat([
      Buffer.of(0x94, 6, 0xd9, id.length),
      id,
      Buffer.of(0xc4, PING.length),
      Buffer.from(PING.replace('␞', '\x1e')),
      Buffer.of(0x80),
    ]);
    server.socket.receive(Buffer.concat([Buffer.of(body.length), body]));
    expect(client.heard).toEqual([PING]);
  });
});

test('bytes queued for a client are known until it has taken them', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  const client = await edge.client(server);
  client.socket.answer = SendResult.Queued;
  client.socket.buffered = 100;
  server.data(client, PING);
  expect([...edge.context.backlogged].map((one) => one.queuedBytes())).toEqual([100]);
  client.socket.buffered = 10;
  client.session.drained();
  expect(edge.context.backlogged.size).toBe(1);
  client.socket.drain();
  expect(edge.context.backlogged.size).toBe(0);
  client.socket.answer = SendResult.Queued;
  server.data(client, PING);
  client.socket.leave(1006);
  expect(edge.context.backlogged.size).toBe(0);
});
