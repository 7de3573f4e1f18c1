import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { token } from './support/tokens.ts';

/** What client protocols reference, section 2.3, says of long polling. */

const { edge, server } = await sharedEdge({ args: ['--poll-timeout', '1'] });

const BINARY = 'application/octet-stream';

interface Said {
  status: number;
  type: string | null;
  body: string;
}

/** An answer to a poll, whose headers are what they must be on all of them. */
async function said(polling: Promise<Response>): Promise<Said> {
  const response = await polling;
  const body = await response.text();
  const { headers, status } = response;
  expect(headers.get('cache-control')).toBe('no-cache, no-store');
  expect(headers.get('pragma')).toBe('no-cache');
  expect(headers.get('expires')).toBe('Thu, 01 Jan 1970 00:00:00 GMT');
  expect(headers.get('content-length')).toBe(status === 204 ? null : `${Buffer.byteLength(body)}`);
  return { status, type: headers.get('content-type'), body };
}

const OPENED: Said = { status: 200, type: BINARY, body: '' };
const NOTHING_YET: Said = { status: 200, type: 'text/plain', body: '' };
const FINISHED: Said = { status: 204, type: null, body: '' };
const data = (body: string): Said => ({ status: 200, type: BINARY, body });

async function opened(claims?: Record<string, unknown>): Promise<HttpConnection> {
  const options = claims === undefined ? {} : { token: token({ payload: claims }) };
  const connection = await HttpConnection.negotiate(edge.url, options);
  await connection.openPolling(JSON_HANDSHAKE);
  return connection;
}

describe('polls', () => {
  it('the first makes the connection, and is answered at once', async () => {
    const connection = await HttpConnection.negotiate(edge.url);
    const gauge = { hub: 'chat', transport: 'longPolling' };
    expect(await said(connection.poll())).toEqual(OPENED);
    expect(await metric(edge, 'trunkline_client_connections', gauge)).toBeGreaterThan(0);
    await connection.leave();
  });

  it('hang until there are messages, and bring all there are', async () => {
    const connection = await opened();
    const { connectionId } = connection.negotiated;
    const poll = said(connection.poll());
    await connection.post('{"type":1,"target":"echo","arguments":[1],"invocationId":"1"}\x1e');
    expect(await poll).toEqual(data('{"type":3,"invocationId":"1","result":1}\x1e'));
    // Between polls they wait, and go out together.
    for (const n of [1, 2, 3]) {
      server.data(connectionId, Buffer.from(`{"type":1,"target":"t${n}"}\x1e`));
    }
    await expect
      .poll(() => metric(edge, 'trunkline_outbound_queue_bytes', { side: 'client' }))
      .toBe(3 * '{"type":1,"target":"t1"}\x1e'.length);
    const all = [1, 2, 3].map((n) => `{"type":1,"target":"t${n}"}\x1e`).join('');
    expect(await said(connection.poll())).toEqual(data(all));
    expect(await metric(edge, 'trunkline_outbound_queue_bytes', { side: 'client' })).toBe(0);
    await connection.leave();
  });

  it('are answered empty when nothing comes', async () => {
    const connection = await opened();
    for (let times = 0; times < 2; times++) {
      const started = performance.now();
      expect(await said(connection.poll())).toEqual(NOTHING_YET);
      expect(performance.now() - started).toBeGreaterThan(900);
    }
    await connection.leave();
  });

  it('that are pending give way to another, which gets what comes', async () => {
    const connection = await opened();
    let pending = said(connection.poll());
    for (let times = 0; times < 3; times++) {
      // They go over connections of their own, and may arrive in any order.
      const rivals = [pending, said(connection.poll())];
      const answers = rivals.map(async (rival, n) => ({ n, answer: await rival }));
      const { n, answer } = await Promise.race(answers);
      expect(answer).toEqual(FINISHED);
      pending = rivals[1 - n]!;
    }
    server.data(connection.negotiated.connectionId, Buffer.from('{"type":1,"target":"t"}\x1e'));
    expect(await pending).toEqual(data('{"type":1,"target":"t"}\x1e'));
    await connection.leave();
  });

  it('carry a binary hub protocol as it is', async () => {
    const connection = await HttpConnection.negotiate(edge.url);
    await connection.openPolling('{"protocol":"messagepack","version":1}\x1e');
    // [1, {}, "1", "echo", [bytes]] and [3, {}, "1", 3, bytes], each behind its length.
    const bytes = Buffer.from([0xc4, 3, 0x00, 0xff, 0x1e]);
    const call = Buffer.concat([
      Buffer.from([16, 0x95, 1, 0x80, 0xa1, 0x31, 0xa4]),
      Buffer.from('echo'),
      Buffer.from([0x91]),
      bytes,
    ]);
    call[0] = call.length - 1;
    const headers = { 'content-type': BINARY };
    expect((await connection.post(Uint8Array.from(call), { headers })).status).toBe(200);
    const response = await connection.poll();
    expect(response.headers.get('content-type')).toBe(BINARY);
    const result = Buffer.concat([Buffer.from([11, 0x95, 3, 0x80, 0xa1, 0x31, 3]), bytes]);
    result[0] = result.length - 1;
    expect(Buffer.from(await response.arrayBuffer())).toEqual(result);
    await connection.leave();
  });
});

describe('the end', () => {
  const close = (connection: HttpConnection, errorMessage = ''): void =>
    server.write({
      type: MessageType.CloseConnection,
      connectionId: connection.negotiated.connectionId,
      errorMessage,
      headers: new Map(),
    });

  it('is heard by the poll after the one that brings the last messages', async () => {
    const connection = await opened();
    const pending = said(connection.poll());
    server.data(connection.negotiated.connectionId, Buffer.from('{"type":1,"target":"t"}\x1e'));
    close(connection, 'enough');
    const last = '{"type":1,"target":"t"}\x1e{"type":7,"error":"enough"}\x1e';
    expect(await pending).toEqual(data(last));
    expect(await said(connection.poll())).toEqual(FINISHED);
    expect((await connection.poll()).status).toBe(404);
  });

  it('waits for a client between its polls', async () => {
    const connection = await opened();
    close(connection);
    await expect.poll(async () => (await connection.post('x')).status).toBe(404);
    expect(await said(connection.poll())).toEqual(data('{"type":7}\x1e'));
    expect(await said(connection.poll())).toEqual(FINISHED);
    expect((await connection.poll()).status).toBe(404);
  });

  it.each([
    ['with a poll pending', true],
    ['without one', false],
  ])('of a client that leaves %s', async (_name, pends) => {
    const connection = await opened();
    const polls = pends ? [said(connection.poll())] : [];
    const response = await connection.leave();
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(response.headers.get('content-length')).toBe('0');
    expect(await Promise.all(polls)).toEqual(polls.map(() => FINISHED));
    await server.received.first(
      (message) =>
        message.type === MessageType.CloseConnection &&
        message.connectionId === connection.negotiated.connectionId,
      'the close',
    );
    const after = await Promise.all([connection.poll(), connection.post('x'), connection.leave()]);
    expect(after.map(({ status }) => status)).toEqual([404, 404, 404]);
  });
});

it('a client that stays away is closed after five seconds, or what its token says', async () => {
  const goneAfter = async (claims?: Record<string, unknown>): Promise<number> => {
    // Before its last poll is answered, from when on it stays away: a busy machine may tell of that late.
    const started = performance.now();
    const connection = await opened(claims);
    await server.received.first(
      (message) =>
        message.type === MessageType.CloseConnection &&
        message.connectionId === connection.negotiated.connectionId,
      'the close',
      20_000,
    );
    return (performance.now() - started) / 1000;
  };
  const [byDefault, short, long] = await Promise.all([
    goneAfter(),
    goneAfter({ 'asrs.s.ttl': 1 }),
    goneAfter({ 'asrs.s.ttl': '9' }),
  ]);
  expect(short).toBeGreaterThan(0.9);
  expect(byDefault).toBeGreaterThan(4.9);
  expect(long).toBeGreaterThan(8.9);
  expect(short).toBeLessThan(byDefault);
  expect(byDefault).toBeLessThan(long);
  const reason = { reason: 'PollTimeout' };
  expect(await metric(edge, 'trunkline_client_closes_total', reason)).toBe(3);
});
