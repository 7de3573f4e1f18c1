import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeServer } from '../../fixtures.test-support.ts';
import { JSON_HANDSHAKE, wire } from '../../fixtures.test-support.ts';
import type { HttpAnswer, HttpRequest } from '../../../ports/listener.ts';
import type { Guest } from './door.test-support.ts';
import { TestHttpEdge } from './door.test-support.ts';
import { FakeExchange } from '../../fake-exchange.test-support.ts';

const CALL = '{"type":1,"target":"a","arguments":[]}␞';
const UNKNOWN_ID = { status: 404, body: 'No Connection with that ID' };
const CHANGED = { status: 400, body: 'Cannot change transports mid-connection' };

let edge: TestHttpEdge;
let server: FakeServer;
let guest: Guest;

beforeEach(async () => {
  edge = new TestHttpEdge();
  server = await edge.server();
  guest = edge.guest();
});

describe('posts before the connection is made', () => {
  test.each(['poll', 'stream'] as const)('wait for the %s', async (transport) => {
    expect(edge.post(guest, JSON_HANDSHAKE.slice(0, 9)).status).toBe(200);
    expect(edge.post(guest, JSON_HANDSHAKE.slice(9) + CALL).status).toBe(200);
    expect(await server.heard()).toEqual([]);
    edge[transport](guest);
    expect(await server.heard()).toEqual([
      ['open', guest.id, 'json'],
      ['data', guest.id, JSON_HANDSHAKE],
      ['data', guest.id, CALL],
    ]);
  });

  test('are passed on when it is made while the body comes in', async () => {
    const { post, exchange } = edge.beginPost(guest);
    edge.poll(guest);
    post!.take(wire(JSON_HANDSHAKE));
    expect(exchange.status).toBe(200);
    expect(await server.heard()).toHaveLength(2);
  });

  test('find nothing when it expires while the body comes in', () => {
    const { post, exchange } = edge.beginPost(guest);
    edge.passWith(server, 16);
    post!.take(Buffer.from('x'));
    expect(exchange.answered).toEqual({ status: 404 });
  });

  test('that are no handshake end the connection as it is made', async () => {
    edge.post(guest, 'rubbish␞');
    const text = 'An unexpected error occurred during connection handshake.';
    expect(edge.poll(guest).body).toBe('');
    expect(edge.poll(guest).body).toBe(`{"error":"${text}"}␞`);
    expect(edge.poll(guest).status).toBe(204);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
  });
});

describe('a request', () => {
  const refused = (request: HttpRequest): HttpAnswer[] => {
    const [get, post, end] = [new FakeExchange(), new FakeExchange(), new FakeExchange()];
    edge.doors.receive(request, get);
    expect(edge.doors.send(request, post)).toBeUndefined();
    edge.doors.leave(request, end);
    return [get, post, end].map(({ answered }) => answered!);
  };
  const changed = (query: string, accessToken = guest.accessToken): HttpRequest => {
    return { ...edge.request({ ...guest, accessToken }), query };
  };

  test('without an id is 400, with an unknown one 404, without a good token 401', () => {
    for (const answer of refused(changed('hub=chat'))) {
      expect(answer).toMatchObject({ status: 400, body: 'Connection ID required' });
    }
    for (const answer of refused(changed('hub=chat&id=nobody'))) {
      expect(answer).toMatchObject(UNKNOWN_ID);
    }
    for (const answer of refused(changed(`hub=chat&id=${guest.connectionToken}`, 'rubbish'))) {
      expect(answer).toMatchObject({ status: 401 });
    }
  });

  test.each(['poll', 'stream'] as const)(
    'for the %s of another is refused, whoever asks',
    async (kind) => {
      const ann = edge.guest({ userId: 'ann' });
      edge[kind](ann);
      const bens = edge.guest({ userId: 'ben' }).accessToken;
      const query = `hub=chat&id=${ann.connectionToken}`;
      for (const answer of refused(changed(query, bens))) expect(answer).toMatchObject(UNKNOWN_ID);
      for (const answer of refused(changed(query, 'x'))) expect(answer.status).toBe(401);
      const guessed = changed(`hub=chat&id=${ann.id}`, ann.accessToken);
      for (const answer of refused(guessed)) expect(answer).toMatchObject(UNKNOWN_ID);
    },
  );

  test('may come with a newer access token of the same user', () => {
    const ann = edge.guest({ userId: 'ann' });
    edge.poll(ann);
    const { accessToken } = edge.guest({ userId: 'ann', lifetimeSeconds: 7200 });
    expect(accessToken).not.toBe(ann.accessToken);
    expect(edge.poll({ ...ann, accessToken }).isOpen).toBe(true);
  });

  test('may come with the access token of the connection when that has expired', async () => {
    guest = edge.guest({ lifetimeSeconds: 60 });
    edge.poll(guest);
    edge.post(guest, JSON_HANDSHAKE);
    server.data(guest, '{}␞');
    edge.poll(guest);
    const hanging = edge.poll(guest);
    edge.sleep(3600);
    expect(edge.negotiate(edge.request(guest)).status).toBe(401);
    expect(edge.post(guest, CALL).status).toBe(200);
    expect(hanging.isOpen).toBe(true);
    expect(edge.leave(guest).status).toBe(202);
  });

  test('of another transport than the first is refused', () => {
    edge.poll(guest);
    expect(edge.stream(guest).answered).toMatchObject(CHANGED);
    expect(edge.connect(edge.request(guest))).toMatchObject(CHANGED);
    const streaming = edge.guest();
    edge.stream(streaming);
    expect(edge.poll(streaming).answered).toMatchObject(CHANGED);
    expect(edge.stream(streaming).answered).toEqual({ status: 409, why: 'in_use' });
    expect(edge.leave(streaming).answered).toMatchObject({
      status: 400,
      body: 'Cannot terminate this connection using the DELETE endpoint.',
    });
  });

  test('to a WebSocket connection is refused', () => {
    const client = edge.strangeClient({ userId: 'ann' });
    const ann = edge.guest({ userId: 'ann' });
    // Version 0 names a connection by its id alone.
    const known = { ...ann, connectionToken: client.id };
    expect(edge.poll(known).answered).toMatchObject(CHANGED);
    expect(edge.stream(known).answered).toMatchObject(CHANGED);
    expect(edge.post(known, CALL).answered).toMatchObject({
      status: 405,
      body: 'POST requests are not allowed for WebSocket connections.',
    });
    expect(edge.leave(known).status).toBe(400);
  });

  test('to leave before there is a connection is refused', () => {
    expect(edge.leave(guest).status).toBe(400);
    expect(edge.poll(guest).status).toBe(200);
  });

  test('by a transport that the edge, or the token, does not allow is 404', () => {
    const polls = edge.guest({ system: { transports: 4 } });
    expect(edge.stream(polls).answered).toMatchObject({
      status: 404,
      body: 'ServerSentEvents transport not supported by this end point type',
    });
    expect(edge.poll(polls).status).toBe(200);
    edge = new TestHttpEdge({ transports: 3 });
    expect(edge.poll(edge.guest()).answered).toMatchObject({
      status: 404,
      body: 'LongPolling transport not supported by this end point type',
    });
  });
});
