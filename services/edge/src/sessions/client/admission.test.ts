import type { ClientTokenOptions } from '@trunkline/tokens';
import { beforeEach, describe, expect, test } from 'vitest';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { SocketHandler } from '../../ports/socket.ts';
import { counted, FakeClient, TestEdge } from '../fixtures.test-support.ts';
import { admitted, requestWith, tokenFor } from './visits.test-support.ts';

const WEB_SOCKETS = { transport: 'WebSockets', transferFormats: ['Text', 'Binary'] };
const ALL_TRANSPORTS = [
  WEB_SOCKETS,
  { transport: 'ServerSentEvents', transferFormats: ['Text'] },
  { transport: 'LongPolling', transferFormats: ['Text', 'Binary'] },
];

let edge: TestEdge;

beforeEach(() => {
  edge = new TestEdge();
});

const token = (options: Partial<ClientTokenOptions> = {}): string => tokenFor(edge, options);

const request = (
  query: string,
  accessToken: string = token(),
  headers: Readonly<Record<string, string>> = {},
): HttpRequest => requestWith(accessToken, query, headers);

const bodyOf = (answer: HttpAnswer): unknown => JSON.parse(String(answer.body ?? ''));

interface Negotiated {
  readonly connectionId: string;
  readonly connectionToken: string;
}

const negotiated = (accessToken?: string): Negotiated =>
  bodyOf(edge.negotiate(request('hub=chat&negotiateVersion=1', accessToken))) as Negotiated;

const refusal = (verdict: SocketHandler | HttpAnswer): number | undefined =>
  'status' in verdict ? verdict.status : undefined;

describe('negotiate', () => {
  test('version 1 gives an id, and a token that is not the id', () => {
    const answer = edge.negotiate(request('hub=chat&negotiateVersion=1'));
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json' },
    });
    const { connectionId, connectionToken } = bodyOf(answer) as Negotiated;
    expect(bodyOf(answer)).toEqual({
      negotiateVersion: 1,
      connectionId,
      connectionToken,
      availableTransports: ALL_TRANSPORTS,
    });
    expect(connectionId).toMatch(/^[\w-]{20}$/);
    expect(connectionToken).toContain('.');
  });

  test.each(['hub=chat', 'hub=chat&negotiateVersion=0', 'hub=chat&negotiateversion=0'])(
    'version 0 (%s) gives an id alone',
    (query) => {
      const body = bodyOf(edge.negotiate(request(query))) as Negotiated;
      expect(body).toEqual({
        negotiateVersion: 0,
        connectionId: body.connectionId,
        availableTransports: ALL_TRANSPORTS,
      });
    },
  );

  test('answers at most version 1', () => {
    const body = bodyOf(edge.negotiate(request('hub=chat&NEGOTIATEVERSION=9')));
    expect(body).toMatchObject({ negotiateVersion: 1 });
  });

  test.each(['x', '1.5', '', '99999999999'])('of version %j is an error with status 200', (v) => {
    const answer = edge.negotiate(request(`hub=chat&negotiateVersion=${v}`));
    expect(answer.status).toBe(200);
    expect(bodyOf(answer)).toEqual({
      error: 'The client requested a non-integer protocol version.',
    });
    expect(counted(edge.context.counters.negotiates)).toEqual({ bad_request: 1 });
  });

  test('offers no transport that the token does not allow', () => {
    const only = (transports: number): unknown =>
      bodyOf(edge.negotiate(request('hub=chat', token({ system: { transports } }))));
    const [webSockets, events, polls] = ALL_TRANSPORTS;
    expect(only(7)).toMatchObject({ availableTransports: ALL_TRANSPORTS });
    expect(only(6)).toMatchObject({ availableTransports: [events, polls] });
    expect(only(1)).toMatchObject({ availableTransports: [webSockets] });
  });

  test('without a hub is a bad request, without a good token unauthorized', () => {
    expect(edge.negotiate(request('')).status).toBe(400);
    expect(edge.negotiate({ ...request('hub=chat'), headers: new Map() })).toEqual({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      why: 'missing',
    });
    const wrong = edge.negotiate(request('hub=chat', token({ key: 'another' })));
    expect(wrong).toEqual({
      status: 401,
      headers: {
        'www-authenticate':
          'Bearer error="invalid_token", error_description="The signature is invalid"',
      },
      why: 'signature',
    });
    expect(edge.negotiate(request('hub=other')).status).toBe(401);
    edge.negotiate(request('hub=chat'));
    expect(counted(edge.context.counters.negotiates)).toEqual({
      bad_request: 1,
      unauthorized: 3,
      ok: 1,
    });
  });

  test('is put off when too many ids of its token are unclaimed, until they expire', () => {
    const accessToken = token();
    for (let i = 0; i < 10_000; i++) {
      if (edge.negotiate(request('hub=chat', accessToken)).status !== 200) throw new Error('early');
    }
    expect(edge.negotiate(request('hub=chat', token({ userId: 'ben' }))).status).toBe(200);
    expect(edge.negotiate(request('hub=chat', accessToken))).toEqual({
      status: 503,
      headers: { 'retry-after': '1' },
      hangUp: true,
      why: 'no_room',
    });
    edge.pass(16);
    expect(edge.negotiate(request('hub=chat', accessToken)).status).toBe(200);
  });
});

describe('a page', () => {
  const from = (origin: string, host = 'edge.example'): HttpRequest =>
    request('hub=chat', token(), { origin, host });

  beforeEach(() => {
    edge = new TestEdge({}, { allowedOrigins: ['https://app.example'] });
  });

  test('of an allowed origin, of the same host, or of none may connect', () => {
    for (const origin of ['https://app.example', 'http://edge.example']) {
      expect(edge.negotiate(from(origin)).status).toBe(200);
      expect(refusal(edge.connect(from(origin)))).toBeUndefined();
    }
    expect(edge.negotiate(request('hub=chat')).status).toBe(200);
  });

  test('of another origin may not: WebSockets are not held back by browsers', () => {
    const stranger = from('https://app.example.evil');
    const { status, body } = edge.negotiate(stranger);
    expect([status, body]).toEqual([403, 'Pages of this origin may not connect here.']);
    expect(refusal(edge.connect(stranger))).toBe(403);
    expect(counted(edge.context.counters.refusals)).toEqual({ origin: 2 });
  });
});

test('the address of the client is what a trusted proxy says, and nobody else', () => {
  const behind = (peer: string): string | undefined =>
    admitted(
      edge.connect({
        ...request('hub=chat', token(), { 'x-forwarded-for': '203.0.113.9' }),
        remoteAddress: peer,
      }),
    ).introduction.headers.find((line) => line.startsWith('x-forwarded-for: '));
  expect(behind('192.0.2.7')).toBe('x-forwarded-for: 192.0.2.7');
  expect(behind('10.0.0.1')).toBe('x-forwarded-for: 203.0.113.9');
});

describe('connect', () => {
  const connect = (query: string, accessToken?: string): SocketHandler | HttpAnswer =>
    edge.connect(request(query, accessToken));

  test('with the token of a negotiate has the negotiated id, once', () => {
    const { connectionId, connectionToken } = negotiated();
    const query = `hub=chat&id=${connectionToken}`;
    expect(admitted(connect(query)).id).toBe(connectionId);
    expect(connect(query)).toEqual({
      status: 404,
      headers: { 'content-type': 'text/plain' },
      body: 'No Connection with that ID',
      why: 'unknown_id',
    });
  });

  test('with the bare id of a version 1 negotiate is refused: its token is not to be guessed', () => {
    const { connectionId } = bodyOf(
      edge.negotiate(request('hub=chat&negotiateVersion=1')),
    ) as Negotiated;
    const answer = edge.connect(request(`hub=chat&id=${connectionId}`));
    expect(answer).toMatchObject({ status: 404, body: 'No Connection with that ID' });
  });

  test('with the id of a version 0 negotiate has it, once', () => {
    const { connectionId } = bodyOf(edge.negotiate(request('hub=chat'))) as Negotiated;
    expect(admitted(connect(`hub=chat&id=${connectionId}`)).id).toBe(connectionId);
    expect(refusal(connect(`hub=chat&id=${connectionId}`))).toBe(404);
  });

  test('without an id has a new one', () => {
    const queries = ['hub=chat', 'hub=chat', 'hub=chat&id='];
    const ids = queries.map((query) => admitted(connect(query)).id);
    for (const id of ids) expect(id).toMatch(/^[\w-]{20}$/);
    expect(new Set(ids).size).toBe(3);
  });

  test.each(['nobody', 'AAAAAAAAAAAAAAAAAAAA', 'a.b.c', '%00'])(
    'with the id %j is refused',
    (id) => {
      expect(refusal(connect(`hub=chat&id=${id}`))).toBe(404);
    },
  );

  test('of another user or hub is refused, and does not spoil the id', () => {
    const ann = token({ userId: 'ann' });
    const { connectionId, connectionToken } = negotiated(ann);
    const ben = token({ userId: 'ben' });
    expect(refusal(connect(`hub=chat&id=${connectionToken}`, ben))).toBe(404);
    expect(refusal(connect(`hub=chat&id=${connectionId}`, ben))).toBe(404);
    expect(refusal(connect(`hub=chat&id=${connectionToken}`))).toBe(404);
    const other = token({ hub: 'other', userId: 'ann' });
    expect(refusal(connect(`hub=other&id=${connectionToken}`, other))).toBe(404);
    expect(refusal(connect(`hub=other&id=${connectionToken}`, ann))).toBe(401);
    expect(admitted(connect(`hub=chat&id=${connectionToken}`, ann)).id).toBe(connectionId);
  });

  test('comes too late after 15 seconds, and the id can serve somebody else', () => {
    const { connectionId, connectionToken } = negotiated();
    edge.sleep(16);
    expect(refusal(connect(`hub=chat&id=${connectionToken}`))).toBe(404);
    const next = admitted(connect('hub=chat'));
    expect(next.id.slice(0, 8)).toBe(connectionId.slice(0, 8));
    expect(next.id).not.toBe(connectionId);
  });

  test('without a hub, a good token, or the transport is refused', () => {
    expect(refusal(connect(''))).toBe(400);
    expect(refusal(connect('hub=chat', 'rubbish'))).toBe(401);
    expect(refusal(connect('hub=chat', token({ lifetimeSeconds: -1 })))).toBe(401);
    expect(refusal(connect('hub=chat', token({ system: { transports: 6 } })))).toBe(404);
  });

  test('with more than 16 KB to keep is refused, and takes no id', () => {
    const { connectionToken } = negotiated();
    const big = { 'x-big': 'x'.repeat(16 * 1024) };
    const query = `hub=chat&id=${connectionToken}`;
    expect(refusal(edge.connect(request(query, token(), big)))).toBe(431);
    expect(refusal(connect(`${query}&big=${'x'.repeat(16 * 1024)}`))).toBe(431);
    expect(refusal(connect(query))).toBeUndefined();
  });

  test('knows its hub, user, server and time from the token', () => {
    const session = admitted(
      connect(
        'hub=CHAT&a=b&access_token=secret',
        token({
          userId: 'ann',
          system: { serverName: 'server-1', sticky: 'Required', handshakeTimeoutSeconds: 3 },
        }),
      ),
    );
    expect(session.hub).toBe(edge.hubs.get('chat')!);
    expect(session.userId).toBe('ann');
    expect(session.affinity).toEqual({ sticky: 'Required', serverName: 'server-1' });
    expect(session.introduction.queryString).toBe('?hub=CHAT&a=b');
    expect(session.introduction.headers).toEqual(['x-forwarded-for: 192.0.2.7']);
    const { socket } = new FakeClient(session);
    edge.pass(2);
    expect(socket.isOpen).toBe(true);
    edge.pass(1);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
  });
});
