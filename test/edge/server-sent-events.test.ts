import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { EventReader } from './support/event-reader.ts';
import { HttpConnection } from './support/http-connection.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { RawSocket } from './support/raw-socket.ts';
import { StreamClient } from './support/request-clients.ts';
import { sharedEdge } from './support/shared-edge.ts';

/** What client protocols reference, section 2.2, says of server-sent events. */

const { edge, server } = await sharedEdge();

/** A stream whose handshake is done. */
async function opened(): Promise<{ connection: HttpConnection; events: EventReader }> {
  const connection = await HttpConnection.negotiate(edge.url);
  const events = new EventReader(await connection.stream());
  expect((await connection.post(JSON_HANDSHAKE)).status).toBe(200);
  await events.events.first((data) => data === '{}\x1e', 'the handshake response');
  return { connection, events };
}

const closeOf = (connectionId: string): Promise<unknown> =>
  server.received.first(
    (message) =>
      message.type === MessageType.CloseConnection && message.connectionId === connectionId,
    'the close',
  );

it('begins at once, before the client has said a word', async () => {
  const connection = await HttpConnection.negotiate(edge.url);
  using socket = new RawSocket(edge.url);
  const token = connection.negotiated.accessToken;
  socket.request('GET', `${connection.path}&access_token=${token}`, {
    Accept: 'application/json, text/event-stream;q=0.9',
  });
  await expect.poll(() => socket.text).toMatch(/\r\n\r\n3\r\n:\r\n$/);
  const { status, headers } = await socket.answer();
  expect(status).toBe('HTTP/1.1 200 OK');
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache,no-store',
    pragma: 'no-cache',
    'content-encoding': 'identity',
    'x-accel-buffering': 'no',
    'transfer-encoding': 'chunked',
  });
  expect(headers.has('content-length')).toBe(false);
});

it('sends an event of one line for hub messages', async () => {
  const { connection, events } = await opened();
  expect(events.text).toBe(':\r\ndata: {}\x1e\r\n\r\n');
  await connection.post('{"type":1,"target":"echo","arguments":["ä\\n"],"invocationId":"1"}\x1e');
  const completion = '{"type":3,"invocationId":"1","result":"ä\\n"}\x1e';
  await events.events.first((data) => data === completion, 'the completion');
  expect(events.text).toBe(`:\r\ndata: {}\x1e\r\n\r\ndata: ${completion}\r\n\r\n`);
});

it('sends what is written in one turn as one event of whole messages', async () => {
  const { connection, events } = await opened();
  const messages = Array.from({ length: 50 }, (_, n) => `{"type":1,"target":"t${n}"}\x1e`);
  server.data(connection.negotiated.connectionId, Buffer.from(messages.join('')));
  await events.events.first((data) => data.includes('t49'), 'the last message');
  expect(events.events.all).toEqual(['{}\x1e', messages.join('')]);
});

describe('JSON of many lines comes as the same JSON', () => {
  it.each([
    ['LF', '{"type":1,\n"target":\n\n"t"}'],
    ['CRLF', '{"type":1,\r\n"target":\r\n\r\n"t"}\r\n'],
    ['CR', '{"type":1,\r"target":\r\r"t"}\r'],
    ['all of them, first and last', '\n{"type":1,\r\n\r"target":\n\r\n"t"}\n'],
  ])('ended by %s', async (_name, json) => {
    const { connection, events } = await opened();
    server.data(connection.negotiated.connectionId, Buffer.from(`${json}\x1e`));
    const data = await events.events.first((text) => text.includes('target'), 'the message');
    expect(data.endsWith('\x1e')).toBe(true);
    expect(JSON.parse(data.slice(0, -1))).toEqual({ type: 1, target: 't' });
    // Nothing of it has been taken for an event of its own, and none comes after it.
    await connection.post('{"type":1,"target":"echo","arguments":[],"invocationId":"1"}\x1e');
    await events.events.first((text) => text.includes('invocationId'), 'the completion');
    expect(events.events.all).toHaveLength(3);
  });
});

it('gives a message of a megabyte whole', async () => {
  await using client = await StreamClient.connect(edge.url);
  const text = 'x'.repeat(1024 * 1024 - 100);
  expect(await client.call('echo', text)).toBe(text);
});

describe('the stream ends', () => {
  it('behind the hub Close', async () => {
    const { connection, events } = await opened();
    const { connectionId } = connection.negotiated;
    server.data(connectionId, Buffer.from('{"type":1,"target":"last"}\x1e{"type":7}\x1e'));
    server.write({
      type: MessageType.CloseConnection,
      connectionId,
      errorMessage: '',
      headers: new Map(),
    });
    expect(await events.ended).toBe('end');
    expect(events.events.all.join('')).toBe('{}\x1e{"type":1,"target":"last"}\x1e{"type":7}\x1e');
    expect((await connection.stream()).status).toBe(404);
  });

  it('behind the hub Close that the edge says where the hub has not', async () => {
    const { connection, events } = await opened();
    server.write({
      type: MessageType.CloseConnection,
      connectionId: connection.negotiated.connectionId,
      errorMessage: 'enough',
      headers: new Map(),
    });
    expect(await events.ended).toBe('end');
    expect(events.events.all.at(-1)).toBe('{"type":7,"error":"enough"}\x1e');
  });

  it('behind the refusal of a binary hub protocol', async () => {
    const connection = await HttpConnection.negotiate(edge.url);
    const events = new EventReader(await connection.stream());
    await connection.post('{"protocol":"messagepack","version":1}\x1e');
    expect(await events.ended).toBe('end');
    const error =
      "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.";
    expect(events.events.all).toEqual([`${JSON.stringify({ error })}\x1e`]);
  });
});

it('a client that goes has closed its connection', async () => {
  const opens = { hub: 'chat', transport: 'serverSentEvents' };
  const before = await metric(edge, 'trunkline_client_closes_total', { reason: 'Normal' });
  const client = await StreamClient.connect(edge.url);
  expect(await metric(edge, 'trunkline_client_connections', opens)).toBeGreaterThan(0);
  await client.close();
  await closeOf(client.connectionId);
  expect((await client.connection.post('x')).status).toBe(404);
  expect(await metric(edge, 'trunkline_client_closes_total', { reason: 'Normal' })).toBe(
    before + 1,
  );
});
