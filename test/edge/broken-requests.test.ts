import { MessageType } from '@trunkline/protocol';
import { startEdge } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric, scrape } from './support/metrics.ts';
import { rawClient } from './support/raw-client.ts';
import { answersIn, requestBytes } from './support/raw-http.ts';
import { RawSocket } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { token } from './support/tokens.ts';

/** Requests that end or come in ways that no client means them to. */

const { edge, server } = await sharedEdge({ args: ['--poll-timeout', '2'] });

const MESSAGE = '{"type":1,"target":"t"}\x1e';

/** A polling client whose handshake is done, and that may be away for so many seconds. */
async function opened(ttl: number): Promise<HttpConnection> {
  const connection = await HttpConnection.negotiate(edge.url, {
    token: token({ payload: { 'asrs.s.ttl': ttl } }),
  });
  await connection.openPolling(JSON_HANDSHAKE);
  return connection;
}

/** A poll on a bare socket, which the edge has: it has answered what was asked after it. */
async function hangingPoll(connection: HttpConnection): Promise<RawSocket> {
  const socket = new RawSocket(edge.url);
  await socket.connected;
  socket.write(requestBytes(connection, 'GET'));
  await scrape(edge);
  return socket;
}

const closed = (connectionId: string): Promise<unknown> =>
  server.received.first(
    (message) =>
      message.type === MessageType.CloseConnection && message.connectionId === connectionId,
    'the close',
    15_000,
  );

describe.concurrent('a client whose poll is lost with its TCP connection', () => {
  it.each(['end', 'reset'] as const)('(%s) goes on with the next poll', async (how) => {
    const connection = await opened(5);
    using socket = await hangingPoll(connection);
    socket[how]();
    await socket.ended;
    // As above: what is sent while the edge has not heard of the loss is lost with the poll.
    await scrape(edge);
    server.data(connection.negotiated.connectionId, Buffer.from(MESSAGE));
    expect(await (await connection.poll()).text()).toBe(MESSAGE);
    expect((await connection.leave()).status).toBe(202);
  });

  it.each(['end', 'reset'] as const)('(%s) is closed when no other comes', async (how) => {
    const connection = await opened(1);
    using socket = await hangingPoll(connection);
    socket[how]();
    await closed(connection.negotiated.connectionId);
    // If it comes back after all, it hears what became of it.
    expect(await (await connection.poll()).text()).toBe('{"type":7,"allowReconnect":true}\x1e');
    expect((await connection.poll()).status).toBe(204);
  });

  it('is closed too when the network has not said so', async () => {
    const connection = await opened(1);
    using socket = await hangingPoll(connection);
    await closed(connection.negotiated.connectionId);
    expect(answersIn(socket.text)).toEqual([{ status: 200, body: '' }]);
  });
});

it.each(['end', 'reset'] as const)('a client whose stream is lost (%s) is closed', async (how) => {
  const connection = await HttpConnection.negotiate(edge.url);
  using socket = new RawSocket(edge.url);
  socket.write(requestBytes(connection, 'GET', { headers: { Accept: 'text/event-stream' } }));
  await connection.post(JSON_HANDSHAKE);
  await expect.poll(() => socket.text).toContain('{}\x1e');
  socket[how]();
  await closed(connection.negotiated.connectionId);
  expect((await connection.post('x')).status).toBe(404);
});

describe('a client that ends its half of a connection, and reads on,', () => {
  it.each([
    ['having said nothing', ''],
    ['in a request', 'GET /api/hea'],
    [
      'in a body',
      'POST /client/negotiate?hub=chat HTTP/1.1\r\nHost: edge\r\nContent-Length: 9\r\n\r\nx',
    ],
  ])('%s is given up at once', async (_name, bytes) => {
    // An edge of its own, so that nobody else's sockets are counted.
    await using edge = await startEdge();
    using socket = new RawSocket(edge.url);
    socket.write(bytes);
    await expect.poll(() => metric(edge, 'trunkline_open_sockets')).toBe(1);
    socket.end();
    await socket.ended;
    expect(await metric(edge, 'trunkline_open_sockets')).toBe(0);
  });

  it('behind a request is answered', async () => {
    using socket = new RawSocket(edge.url);
    socket.request('GET', '/api/health');
    socket.end();
    expect((await socket.answer()).status).toBe('HTTP/1.1 200 OK');
    await socket.ended;
  });

  it('with a WebSocket is closed as lost', async () => {
    const lost = { reason: 'ConnectionLost' };
    const before = await metric(edge, 'trunkline_client_closes_total', lost);
    const { socket, connectionId } = await rawClient(edge);
    using _socket = socket;
    socket.end();
    await socket.ended;
    expect(await closed(connectionId)).toMatchObject({ connectionId });
    expect(await metric(edge, 'trunkline_client_closes_total', lost)).toBe(before + 1);
  });
});

describe('requests that are sent behind each other without waiting', () => {
  it('are answered in order', async () => {
    const connection = await opened(5);
    using socket = new RawSocket(edge.url);
    const health = Buffer.from('GET /api/health HTTP/1.1\r\nHost: edge\r\n\r\n');
    const call = '{"type":1,"target":"echo","arguments":[1],"invocationId":"1"}\x1e';
    socket.write(
      Buffer.concat([
        requestBytes(connection, 'POST', { body: call }),
        health,
        requestBytes(connection, 'PUT'),
        requestBytes(connection, 'DELETE'),
        requestBytes(connection, 'GET'),
        health,
      ]),
    );
    await expect
      .poll(() => answersIn(socket.text).map(({ status }) => status))
      .toEqual([200, 200, 405, 202, 404, 200]);
  });

  it('behind a poll that hangs lose their TCP connection, and nothing else', async () => {
    const connection = await opened(5);
    using socket = await hangingPoll(connection);
    socket.write(requestBytes(connection, 'POST', { body: MESSAGE }));
    await socket.ended;
    expect(socket.text).toBe('');
    server.data(connection.negotiated.connectionId, Buffer.from(MESSAGE));
    expect(await (await connection.poll()).text()).toBe(MESSAGE);
    expect((await connection.leave()).status).toBe(202);
  });
});
