import { createHmac } from 'node:crypto';
import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { Pools } from '../../pools.ts';
import type { FakeClient } from '../fixtures.test-support.ts';
import {
  JSON_HANDSHAKE,
  KEY,
  MESSAGEPACK_HANDSHAKE,
  TestEdge,
  turn,
  usedOf,
} from '../fixtures.test-support.ts';
import { CLIENT_CLOSE_REASONS } from '../close-reason.ts';
import { TRANSPORTS } from '../transport.ts';
import { FakeUpstream } from './fake-upstream.test-support.ts';
import type { FakePost } from './fake-upstream.test-support.ts';
import type { UpstreamRule } from './rules.ts';
import { UrlTemplate } from './url-template.ts';

const RULE: UpstreamRule = {
  template: new UrlTemplate('http://app/{hub}/{category}/{event}?code=k'),
  hubs: undefined,
  categories: undefined,
  events: undefined,
};
const call = (id: number | undefined, target = 'say', args = '[]'): string =>
  `{"arguments":${args}${id === undefined ? '' : `,"invocationId":"${id}"`},"target":"${target}","type":1}␞`;

let http: FakeUpstream;
let pools: Pools;
let edge: TestEdge;

const STREAMS = 'Streams are served by app servers only, and no app server is connected.';
const refused = (id: number, error: string): string =>
  `{"type":3,"invocationId":"${id}","error":"${error}"}␞`;

function start(upstream: readonly UpstreamRule[] = [RULE]): void {
  http = new FakeUpstream();
  pools = new Pools({ upstream_events: { share: 100_000, total: 250_000 } });
  edge = new TestEdge({ withoutServer: 'upstream', upstream }, { http, pools });
}

beforeEach(() => start());

type Identity = Parameters<TestEdge['strangeClient']>[0];

/** A client whose hub handshake is done, and whose `connected` is under way. */
async function arrive(identity: Identity = {}, handshake = JSON_HANDSHAKE): Promise<FakeClient> {
  const client = edge.strangeClient(identity);
  client.says(handshake);
  await turn();
  return client;
}

/** The same, and the upstream has heard of it. */
async function connect(identity: Identity = {}, handshake = JSON_HANDSHAKE): Promise<FakeClient> {
  const client = await arrive(identity, handshake);
  http.next.answer();
  client.socket.sent.length = 0;
  return client;
}

const names = (posts: readonly FakePost[]): string[] => posts.map(({ event }) => event);

/** What came of events, as the metrics count it. */
const counts = (): Record<string, number> =>
  Object.fromEntries(
    [...edge.context.serverless.counts].flatMap(([, some]) => [...some.entries()]),
  );

describe('a client without an app server', () => {
  test('gets its handshake response, and its upstream is told', async () => {
    const client = await arrive();
    expect(client.heard).toEqual(['{}␞']);
    expect(names(http.posts)).toEqual(['connected']);
  });

  test('may say more at once than is worked off in one go, and be answered meanwhile', async () => {
    const client = await connect();
    const streams = Array.from(
      { length: 600 },
      (_, n) => `{"type":4,"invocationId":"${n}","target":"s","arguments":[]}␞`,
    );
    client.says(streams.join(''));
    await turn();
    await turn();
    expect(client.heard.join('')).toBe(
      Array.from({ length: 600 }, (_, n) => refused(n, STREAMS)).join(''),
    );
    expect(client.socket.isOpen).toBe(true);
  });

  test('may do so time and again', async () => {
    start([{ ...RULE, events: new Set(['slow']) }]);
    const client = await arrive();
    for (let round = 1; round <= 3; round++) {
      client.says(`${call(undefined, 'slow')}${call(1).repeat(100)}`);
      expect(client.heard).toHaveLength(1 + (round - 1) * 100);
      http.next.answer();
      await turn();
      expect(client.heard).toHaveLength(1 + round * 100);
    }
  });

  test('says what it says behind its handshake, after its upstream has been told', async () => {
    const client = await arrive({}, `${JSON_HANDSHAKE}${call(1)}`);
    expect(names(http.posts)).toEqual(['connected']);
    http.next.answer();
    expect(names(http.posts)).toEqual(['connected', 'say']);
    http.next.answer(204);
    expect(client.heard).toEqual(['{}␞', '{"type":3,"invocationId":"1"}␞']);
  });

  test('is answered behind its handshake response, in order, whatever it says before that', async () => {
    start([]);
    const stream = '{"type":4,"target":"count","invocationId":"2","arguments":[]}␞';
    const uploads =
      '{"type":1,"target":"sum","invocationId":"3","arguments":[],"streamIds":["9"]}␞';
    const client = await arrive({}, `${JSON_HANDSHAKE}${call(1)}${stream}${uploads}${call(4)}`);
    const unmatched = 'Invocation failed, error: no upstream takes it.';
    expect(client.heard.join('')).toBe(
      `{}␞${refused(1, unmatched)}${refused(2, STREAMS)}${refused(3, STREAMS)}${refused(4, unmatched)}`,
    );
    expect([client.heard[0], edge.closes]).toEqual(['{}␞', {}]);
  });

  test('is refused whatever it says behind its handshake', async () => {
    const client = await arrive({}, `{"protocol":"json","version":3}␞${call(1)}`);
    expect(client.heard).toHaveLength(1);
    expect([edge.closes, http.posts]).toEqual([{ HandshakeError: 1 }, []]);
  });

  test('may speak version 2', async () => {
    const client = await arrive({}, '{"protocol":"json","version":2}␞');
    expect([client.heard, names(http.posts)]).toEqual([['{}␞'], ['connected']]);
  });

  test.each([
    ['{"protocol":"zzz","version":1}␞', "The protocol 'zzz' is not supported."],
    [
      '{"protocol":"json","version":3}␞',
      "The server does not support version 3 of the 'json' protocol.",
    ],
  ])('is refused with %s', async (handshake, error) => {
    const client = await arrive({}, handshake);
    expect(client.heard).toEqual([`{"error":"${error.replaceAll('"', '\\"')}"}␞`]);
    expect(client.socket.isOpen).toBe(false);
    expect(http.posts).toEqual([]);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
  });

  test('may have a hub protocol that only its app server knew', async () => {
    edge = new TestEdge(
      { withoutServer: 'upstream', upstream: [RULE], migration: 'always' },
      { http },
    );
    const server = await edge.server();
    const client = edge.strangeClient();
    client.says('{"protocol":"own","version":1}␞');
    server.data(client, '{}␞');
    await turn();
    server.socket.leave(1006);
    edge.pass(10);
    expect([client.socket.isOpen, names(http.posts)]).toEqual([true, ['connected']]);
    http.next.answer();
    client.says(call(1));
    expect(http.next.request.headers).toMatchObject({
      'content-type': 'application/json',
      'x-asrs-event': 'say',
    });
  });

  test('that is about to be refused may be looked at before', async () => {
    const client = edge.strangeClient();
    client.says('{"protocol":"zzz","version":1}␞');
    edge.pass(4);
    await turn();
    expect(edge.closes).toEqual({ HandshakeError: 1 });
  });

  test('that is about to be refused may leave before', async () => {
    const client = edge.strangeClient();
    client.says('{"protocol":"zzz","version":1}␞');
    client.socket.leave(1000);
    await turn();
    expect([client.heard, http.posts]).toEqual([[], []]);
  });

  test('is closed where there is no room to tell of it', async () => {
    pools = new Pools({ upstream_events: { share: 100, total: 100 } });
    edge = new TestEdge({ withoutServer: 'upstream', upstream: [RULE] }, { http, pools });
    await arrive();
    await turn();
    expect([edge.closes, http.posts]).toEqual([{ SlowAppServer: 1 }, []]);
  });

  test('is told of by its id, hub, user, claims and query', async () => {
    const client = await arrive({
      userId: 'ann',
      introduction: {
        tokenPayload:
          '{"asrs.s.uid":"ann","sub":"ann","role":["a","b"],"asrs.u.iat":"7","exp":1,"my.asrs.u.x":"","x":"é\\r\\ny"}',
        headers: [],
        queryString: '?hub=chat&a=b%20c',
      },
    });
    const digest = (key: string) => createHmac('sha256', key).update(client.id).digest('hex');
    const { origin, path, headers, body } = http.next.request;
    expect([origin, path]).toEqual(['http://app', '/chat/connections/connected?code=k']);
    expect(headers).toEqual({
      'content-type': 'application/json',
      'x-asrs-connection-id': client.id,
      'x-asrs-hub': 'chat',
      'x-asrs-category': 'connections',
      'x-asrs-event': 'connected',
      'x-asrs-signature': `sha256=${digest('newer key')},sha256=${digest(KEY)}`,
      'x-asrs-user-id': 'ann',
      'x-asrs-user-claims': [
        'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier: ann',
        'sub: ann',
        'http://schemas.microsoft.com/ws/2008/06/identity/claims/role: a',
        'role: a',
        'http://schemas.microsoft.com/ws/2008/06/identity/claims/role: b',
        'role: b',
        'iat: 7',
        'exp: 1',
        'my.asrs.u.x: ',
        'x: Ã©  y',
      ].join(', '),
      'x-asrs-client-query': '?hub=chat&a=b%20c',
    });
    expect(Buffer.from(body).toString()).toBe('{"type":10}');
  });

  test('that nobody has signed in has no user, and one without claims none', async () => {
    const introduction = { tokenPayload: '{"asrs.s.dc":"true"}', headers: [], queryString: '' };
    await arrive({ introduction });
    const there = Object.keys(http.next.request.headers);
    expect(there).not.toContain('x-asrs-user-id');
    expect(there).not.toContain('x-asrs-user-claims');
    expect(there).not.toContain('x-asrs-client-query');
  });
});

describe('a call', () => {
  test('goes up as it came, without its framing, and its answer comes down', async () => {
    const client = await connect();
    client.says(' {"type":1, "target":"say","arguments":[1.50,"ä"],"invocationId":"1"}␞');
    const { path, headers } = http.next.request;
    expect(path).toBe('/chat/messages/say?code=k');
    expect(headers).toMatchObject({ 'x-asrs-event': 'say', 'content-type': 'application/json' });
    expect(http.next.isRead).toBe(true);
    expect(http.next.body).toBe(
      ' {"type":1, "target":"say","arguments":[1.50,"ä"],"invocationId":"1"}',
    );
    const answer = '{"type":3,"invocationId":"1","result":{"a":1.50}}␞';
    http.next.answer(200, answer);
    expect(client.heard).toEqual([answer]);
  });

  test('in MessagePack is MessagePack both ways, and comings and goings stay JSON', async () => {
    const client = await arrive({}, MESSAGEPACK_HANDSHAKE);
    expect(http.next.request.headers['content-type']).toBe('application/json');
    http.next.answer();
    const body = Buffer.from('950180a131a37361799107', 'hex');
    client.socket.receive(Buffer.concat([Uint8Array.of(body.length), body]));
    expect(http.next.request.headers['content-type']).toBe('application/x-msgpack');
    expect(Buffer.from(http.next.request.body)).toEqual(body);
    const answer = Buffer.from('950380a13103a4646f6e65', 'hex');
    http.next.answer(200, Buffer.concat([Uint8Array.of(answer.length), answer]));
    expect(client.socket.bytes.at(-1)!.subarray(1)).toEqual(answer);
    client.socket.leave(1000);
    expect(http.next.request.headers['content-type']).toBe('application/json');
    expect(http.next.body).toBe('{"type":11}');
  });

  test('without an id has no answer, whatever the upstream says', async () => {
    const client = await connect();
    client.says(call(undefined));
    expect(http.next.isRead).toBe(false);
    http.next.answer(500, 'garbage');
    expect(client.heard).toEqual([]);
  });

  test('that fails is not made again', async () => {
    const client = await connect();
    client.says(call(1));
    http.next.fail();
    expect(client.heard).toEqual([
      '{"type":3,"invocationId":"1","error":"Invocation failed, status code 500"}␞',
    ]);
    edge.pass(30);
    expect(names(http.posts)).toEqual(['connected', 'say']);
  });

  test('that no rule fits is answered', async () => {
    start([{ ...RULE, categories: new Set(['connections']) }]);
    const client = await connect();
    client.says(`${call(1)}${call(undefined)}`);
    expect(client.heard).toEqual([
      '{"type":3,"invocationId":"1","error":"Invocation failed, error: no upstream takes it."}␞',
    ]);
    expect(counts()).toEqual({ 'connections|ok': 1, 'messages|unmatched': 2 });
  });

  test.each([
    '{"type":4,"target":"count","invocationId":"1","arguments":[]}␞',
    '{"type":1,"target":"sum","invocationId":"1","arguments":[],"streamIds":["2"]}␞',
  ])('for a stream is refused: %s', async (message) => {
    const client = await connect();
    client.says(`${message}{"type":2,"invocationId":"2","item":1}␞`);
    expect(client.heard).toEqual([refused(1, STREAMS)]);
    expect(http.open).toEqual([]);
  });

  test('for a stream, without an id, has no answer', async () => {
    const client = await connect();
    client.says('{"type":1,"target":"sum","arguments":[],"streamIds":["2"]}␞');
    client.says('{"type":1,"target":"sum","arguments":[],"streamIds":["2"],"invocationId":"1"}␞');
    expect(client.heard).toEqual([refused(1, STREAMS)]);
  });

  test('behind the end of its client is none', async () => {
    const client = await connect();
    client.says(`{"type":7}␞${call(1)}`);
    http.next.answer();
    expect(names(http.posts)).toEqual(['connected', 'disconnected']);
  });

  test.each(['not json␞', '{"type":1,"arguments":[]}␞'])('that is none: %s', async (message) => {
    const client = await connect();
    client.says(message);
    expect(edge.closes).toEqual({ BadRequest: 1 });
    expect(http.next.body).toBe('{"type":11,"error":"Connection closed with an error."}');
  });

  test('over its deadline is answered, and the next one goes out', async () => {
    const client = await connect();
    client.says(`${call(1, 'slow')}${call(2, 'next')}`);
    edge.pass(101);
    expect(client.heard.filter((text) => text !== '{"type":6}␞')).toEqual([
      '{"type":3,"invocationId":"1","error":"Invocation failed, status code 500"}␞',
    ]);
    expect(http.open).toEqual(['next']);
  });
});

describe('order', () => {
  test('of one client is kept, and its end comes last', async () => {
    const client = await arrive();
    for (const target of ['a', 'b', 'c']) client.says(call(undefined, target));
    client.socket.leave(1000);
    const seen: string[] = [];
    while (http.open.length > 0) {
      expect(http.open).toHaveLength(1);
      seen.push(http.next.event);
      http.next.answer();
    }
    expect(seen).toEqual(['connected', 'a', 'b', 'c', 'disconnected']);
    expect(usedOf(pools, 'upstream_events')).toBe(0);
    expect(edge.context.serverless.busy.size).toBe(0);
  });

  test('of one does not hold another', async () => {
    const [one, other] = [await connect(), await connect()];
    one.says(call(undefined, 'slow'));
    other.says(call(undefined, 'quick'));
    expect(http.open).toEqual(['slow', 'quick']);
  });
});

describe('the end of a client', () => {
  test.each<[string, (client: FakeClient) => void, string]>([
    ['that closes', (client) => client.socket.leave(1000), '{"type":11}'],
    ['that says Close', (client) => client.says('{"type":7}␞'), '{"type":11}'],
    ['that is lost', (client) => client.socket.leave(1006), '{"type":11,"error":"ConnectionLost"}'],
    [
      'that is closed with a reason',
      ({ session }) => session.close(CLIENT_CLOSE_REASONS.closedByAppServer, 'be off'),
      '{"type":11,"error":"be off"}',
    ],
    [
      'that is closed without one',
      ({ session }) => session.close(CLIENT_CLOSE_REASONS.closedByAppServer),
      '{"type":11}',
    ],
    [
      'that is closed with an empty one',
      ({ session }) => session.close(CLIENT_CLOSE_REASONS.closedByAppServer, ''),
      '{"type":11}',
    ],
    ['of an edge that stops', () => edge.core.closeAll(), '{"type":11,"error":"ServiceReload"}'],
  ])('%s', async (_name, end, body) => {
    const client = await connect();
    end(client);
    expect(client.socket.isOpen).toBe(false);
    expect(names(http.posts)).toEqual(['connected', 'disconnected']);
    expect(http.next.request.path).toBe('/chat/connections/disconnected?code=k');
    expect(http.next.body).toBe(body);
  });

  test('is told after its connect, which is told again until it is heard', async () => {
    const client = await arrive();
    client.socket.leave(1000);
    http.next.answer(500);
    expect(http.open).toEqual([]);
    edge.pass(1);
    expect(http.open).toEqual(['connected']);
    http.next.answer();
    expect(http.open).toEqual(['disconnected']);
  });

  test('leaves its calls without anybody to answer', async () => {
    const client = await connect();
    client.says(call(1));
    client.socket.leave(1000);
    http.next.answer(204);
    expect(http.open).toEqual(['disconnected']);
  });
});

describe('an upstream that cannot be told of a client', () => {
  test('is told again after 1, 2, 4 and 8 seconds, and no more', async () => {
    const client = await arrive();
    client.says(call(1));
    const at: number[] = [];
    for (let second = 0; second < 60; second++) {
      if (http.open[0] === 'connected') {
        at.push(second);
        http.next.answer(500);
      }
      edge.pass(1);
    }
    expect(at).toEqual([0, 1, 3, 7, 15]);
    expect(http.open).toEqual(['say']);
    expect(client.socket.isOpen).toBe(true);
    expect(counts()).toEqual({ 'connections|server_error': 5 });
    expect(edge.context.serverless.retries).toBe(4);
  });

  test('is told again though nothing more is to be told', async () => {
    await arrive();
    http.next.answer(500);
    edge.pass(1);
    expect(http.open).toEqual(['connected']);
  });

  test('is told again later where the edge slept meanwhile', async () => {
    await arrive();
    http.next.answer(500);
    edge.pass(1);
    http.next.answer(500);
    edge.sleep(60);
    expect(http.open).toEqual([]);
    edge.pass(2);
    expect(http.open).toEqual(['connected']);
  });

  test.each([401, 403, 404])('by %i is not told again, and the client stays', async (status) => {
    const client = await arrive();
    http.next.answer(status);
    edge.pass(30);
    expect(names(http.posts)).toEqual(['connected']);
    expect(client.socket.isOpen).toBe(true);
  });
});

describe('silence', () => {
  test('of the hub is broken by a ping', async () => {
    const client = await connect();
    edge.pass(16);
    expect(client.heard).toEqual(['{"type":6}␞']);
  });

  test('of a client that had pinged ends it', async () => {
    const client = await connect();
    client.says('{"type":6}␞');
    edge.pass(30);
    expect(client.socket.isOpen).toBe(true);
    edge.pass(5);
    expect(edge.closes).toEqual({ PingTimeout: 1 });
    expect(http.next.body).toBe('{"type":11,"error":"The client was not heard for too long."}');
  });

  test('is none of a client that calls, without a ping', async () => {
    const client = await connect();
    client.says('{"type":6}␞');
    for (let i = 0; i < 4; i++) {
      edge.pass(20);
      client.says(call(undefined));
      http.next.answer();
    }
    expect(client.socket.isOpen).toBe(true);
  });

  test('of one that never does is borne, and so is that of an edge that slept', async () => {
    const quiet = await connect();
    const pings = await connect();
    pings.says('{"type":6}␞');
    edge.sleep(60);
    edge.pass(20);
    expect([quiet.socket.isOpen, pings.socket.isOpen]).toEqual([true, true]);
    quiet.says(call(undefined));
    edge.pass(100);
    expect([quiet.socket.isOpen, pings.socket.isOpen]).toEqual([true, false]);
  });
});

describe('what waits for an upstream', () => {
  const long = call(undefined, 'say', `["${'x'.repeat(40_000)}"]`);

  test('has a bound for a client', async () => {
    const client = await connect();
    client.says(long);
    client.says(long);
    expect(client.socket.isOpen).toBe(true);
    client.says(long);
    expect(edge.closes).toEqual({ SlowAppServer: 1 });
    expect(counts()).toMatchObject({ 'messages|dropped': 1 });
    for (let i = 0; i < 3; i++) http.next.answer();
    expect(names(http.posts)).toEqual(['connected', 'say', 'say', 'disconnected']);
    expect(usedOf(pools, 'upstream_events')).toBe(0);
  });

  test('has a bound for all: whoever has most pays', async () => {
    const first = await connect();
    const others = [await connect(), await connect(), await connect(), await connect()];
    first.says(call(undefined, 'say', `["${'x'.repeat(50_000)}"]`));
    first.says(call(undefined, 'say', `["${'x'.repeat(40_000)}"]`));
    for (const other of others) other.says(long);
    await turn();
    expect(first.socket.isOpen).toBe(false);
    expect(others.every(({ socket }) => socket.isOpen)).toBe(true);
    while (http.open.length > 0) http.next.answer();
    expect(counts()['messages|dropped']).toBe(1);
    expect(usedOf(pools, 'upstream_events')).toBe(0);
  });
});

describe('what waits for an upstream and is dropped', () => {
  const long = call(undefined, 'say', `["${'x'.repeat(45_000)}"]`);
  let others: FakeClient[];

  beforeEach(async () => {
    others = [await connect(), await connect(), await connect(), await connect()];
  });

  test('may be of a client whose connect is to be told again, and then its end is', async () => {
    const client = await arrive();
    http.next.answer(500);
    for (const one of [client, client, ...others]) one.says(long);
    await turn();
    expect(edge.closes).toEqual({ SlowAppServer: 1 });
    edge.pass(1);
    expect(http.open.at(-1)).toBe('connected');
    http.posts.at(-1)!.answer();
    expect(http.open.at(-1)).toBe('disconnected');
  });

  test('may be of a client that has gone', async () => {
    const client = await connect();
    client.says(call(undefined));
    for (let i = 0; i < 2; i++) client.says(long);
    client.socket.leave(1000);
    for (const other of others) other.says(long);
    await turn();
    expect(counts()).toMatchObject({ 'messages|dropped': 2, 'connections|dropped': 1 });
    http.next.answer();
    expect(names(http.posts)).not.toContain('disconnected');
  });

  test('counts for its length, and an end for what tells of the client, too', async () => {
    const tokenPayload = JSON.stringify({ sub: 'x'.repeat(40_000) });
    const introduction = { tokenPayload, headers: [], queryString: '' };
    const client = await arrive({ introduction });
    expect(usedOf(pools, 'upstream_events')).toBeLessThan(1000);
    http.next.answer();
    client.says(call(undefined, 'disconnected'));
    expect(usedOf(pools, 'upstream_events')).toBeLessThan(1000);
    client.socket.leave(1000);
    expect(usedOf(pools, 'upstream_events')).toBeGreaterThan(40_000);
  });
});

describe('the log', () => {
  const told = (): Record<string, unknown>[] =>
    edge.lines.filter(({ category }) => category !== undefined);

  test('says what no upstream has taken', async () => {
    const client = await arrive();
    http.next.answer(403);
    client.says(call(1));
    http.next.answer(500);
    expect(told()).toMatchObject([
      { level: 'info', hub: 'chat', category: 'connections', outcome: 'refused', status: 403 },
      { level: 'info', hub: 'chat', category: 'messages', outcome: 'server_error', status: 500 },
    ]);
    client.says(call(2));
    http.next.fail();
    expect(told()).toHaveLength(3);
    expect(told()[2]).toMatchObject({ outcome: 'unreachable' });
    expect(told()[2]).not.toHaveProperty('status');
  });

  test('says nothing of what one has, nor of clients that none wants to hear of', async () => {
    const client = await connect();
    client.says(call(1));
    http.next.answer(204);
    start([]);
    await arrive();
    expect([told(), counts()]).toEqual([[], {}]);
  });

  test('says which calls none wants to hear of', async () => {
    start([]);
    const client = await arrive();
    client.says(call(1));
    expect(told()).toMatchObject([{ category: 'messages', outcome: 'unmatched' }]);
  });
});

describe('when an upstream turns out to be down', () => {
  const told = (clients: readonly FakeClient[]): number =>
    clients.reduce((sum, { heard }) => sum + heard.length, 0);
  const failAll = (): void => {
    while (http.open.length > 0) http.next.fail();
  };

  async function crowd(size: number, concurrency: number): Promise<FakeClient[]> {
    const upstream = { timeoutMs: 100_000, concurrency };
    edge = new TestEdge({ withoutServer: 'upstream', upstream: [RULE] }, { http, upstream });
    const clients: FakeClient[] = [];
    for (let i = 0; i < size; i++) clients.push(await connect());
    return clients;
  }

  test('those whose calls wait are told in several turns', async () => {
    const clients = await crowd(50, 5);
    for (const client of clients) client.says(call(1));
    // Two looks at the clock take a turn's time.
    edge.time.lookMs = 1;
    failAll();
    expect(told(clients)).toBeLessThan(20);
    for (let i = 0; i < 50; i++) await turn();
    expect(clients.map(({ heard }) => heard.length)).toEqual(Array(50).fill(1));
  });

  test('those who have said much are told in several turns, of each call in its order', async () => {
    const clients = await crowd(10, 100);
    const ids = Array.from({ length: 100 }, (_, i) => i + 1);
    for (const client of clients) client.says(ids.map((id) => call(id)).join(''));
    edge.time.lookMs = 1;
    failAll();
    const atOnce = told(clients);
    expect(atOnce).toBeLessThan(500);
    for (const client of clients) client.says(call(101));
    expect(told(clients)).toBe(atOnce);
    await turn();
    // One of them has gone on: what is logged of its calls looks at the clock, too.
    expect(told(clients)).toBe(atOnce + 32);
    for (let i = 0; i < 30; i++) await turn();
    const heard = clients.map((client) =>
      client.heard.map((text) => /"invocationId":"(\d+)"/.exec(text)?.[1]),
    );
    expect(heard).toEqual(Array(10).fill([...ids, 101].map(String)));
    expect(edge.context.serverless.busy.size).toBe(0);
  });
});

test('an upstream that is dead leaves nothing behind of those who come and go', async () => {
  pools = new Pools();
  edge = new TestEdge({ withoutServer: 'upstream', upstream: [RULE] }, { http, pools });
  const { serverless } = edge.context;
  for (let second = 0; second < 40; second++) {
    for (let i = 0; i < 20; i++) {
      const client = await arrive();
      client.says(call(undefined));
      client.socket.leave(1006);
    }
    while (http.open.length > 0) http.next.fail();
    edge.pass(1);
  }
  expect(serverless.calls.breakers().closed).toBe(0);
  // Rests of 15 s for the connect, and as many for the end.
  expect(serverless.busy.size).toBeLessThanOrEqual(20 * 31);
  for (let second = 0; second < 40; second++) {
    while (http.open.length > 0) http.next.fail();
    edge.pass(1);
  }
  expect([serverless.busy.size, usedOf(pools, 'upstream_events')]).toEqual([0, 0]);
  expect([serverless.calls.inFlight, serverless.calls.waiting]).toEqual([0, 0]);
});

test('an edge that stops waits until upstreams have been told', async () => {
  const client = await connect();
  client.socket.leave(1000);
  let isTold = false;
  const told = edge.context.serverless.whenTold().then(() => (isTold = true));
  edge.pass(1);
  await turn();
  expect(isTold).toBe(false);
  http.next.answer();
  edge.pass(1);
  await told;
  await edge.context.serverless.whenTold();
});

test('a poll that comes later finds the answer', async () => {
  const client = await connect({ transport: TRANSPORTS.longPolling });
  client.says(call(1));
  http.next.answer(204);
  expect(client.heard).toEqual(['{"type":3,"invocationId":"1"}␞']);
});

test('a client answers what an app server of its hub asks', async () => {
  const client = await connect();
  const server = await edge.server();
  server.says({
    type: MessageType.ClientInvocation,
    invocationId: 'q1',
    connectionId: client.id,
    callerServerId: 'server-1',
    payloads: new Map([['json', Buffer.from('{"type":1,"invocationId":"q1","target":"ask"}\x1e')]]),
  });
  await turn();
  const answer = '{"type":3,"invocationId":"q1","result":1}␞';
  client.says(answer);
  const completion = (await server.messages()).find(
    ({ type }) => type === MessageType.ClientCompletion,
  );
  expect(completion).toMatchObject({
    invocationId: 'q1',
    connectionId: client.id,
    protocol: 'json',
  });
  expect(http.open).toEqual([]);
});
