import { mintClientToken, mintServerToken } from '@trunkline/tokens';
import { beforeEach, expect, test } from 'vitest';
import type { HttpAnswer } from '../../ports/listener.ts';
import type { SocketHandler } from '../../ports/socket.ts';
import { KEY, TestEdge } from '../fixtures.test-support.ts';
import { ServerSession } from './server-session.ts';

let edge: TestEdge;

beforeEach(() => {
  edge = new TestEdge();
});

const minting = () => ({
  key: KEY,
  audienceBase: 'http://e/',
  hub: 'chat',
  now: Math.floor(edge.context.time.unixSeconds()),
});

function connect(
  query: string,
  headers: Readonly<Record<string, string>> = {},
  token = mintServerToken({ ...minting(), serverId: 'from-token' }),
): SocketHandler | HttpAnswer {
  const all = new Map(Object.entries({ authorization: `Bearer ${token}`, ...headers }));
  const peer = { method: 'GET', path: '/server/', remoteAddress: '127.0.0.1' };
  return edge.dial({ ...peer, query, headers: all });
}

test('an app server is known by its header, else by its token', () => {
  const query = 'hub=Chat&cid=cid-1';
  expect(connect(query, { 'x-asrs-server-id': 'from-header' })).toMatchObject({
    id: 'cid-1',
    serverId: 'from-header',
    hub: edge.hubs.get('chat')!,
  });
  expect(connect(query)).toMatchObject({ id: 'cid-1', serverId: 'from-token' });
});

test('a connection without an id gets one, and a long one is cut', () => {
  const [first, second] = [connect('hub=chat'), connect('hub=chat')];
  if (!(first instanceof ServerSession && second instanceof ServerSession)) throw new Error('no');
  expect(first.id).not.toBe(second.id);
  expect(connect(`hub=chat&cid=${'x'.repeat(1000)}`)).toMatchObject({ id: 'x'.repeat(256) });
});

test('no hub, no token, a wrong one and a client token are refused', () => {
  expect(connect('')).toMatchObject({ status: 400 });
  expect(connect('hub=chat', { authorization: '' })).toMatchObject({ status: 401 });
  expect(connect('hub=other')).toMatchObject({ status: 401 });
  expect(connect('hub=chat', {}, mintClientToken(minting()))).toMatchObject({ status: 401 });
  expect([...edge.hubs]).toEqual([]);
});

test('who looks for another edge than this one is refused, without a line in the log', () => {
  const elsewhere = (id: string) => connect('hub=chat', { 'x-trunkline-elsewhere': id });
  expect(elsewhere('edge-1')).toMatchObject({ status: 409 });
  expect(elsewhere('edge-2')).toBeInstanceOf(ServerSession);
  edge.pass(10);
  expect(edge.lines).toEqual([]);
  expect(connect('hub=chat', { 'x-trunkline-elsewhere': 'edge-1' }, 'nonsense')).toMatchObject({
    status: 401,
  });
});

test('refusals are logged with their reason and hub, and ten thousand of them in two lines', () => {
  for (let i = 0; i < 10_000; i++) connect('hub=chat', { authorization: 'Bearer nonsense' });
  edge.pass(10);
  const line = { msg: 'app server refused', reason: 'malformed', hub: 'chat', level: 'warn' };
  expect(edge.lines).toMatchObject([
    { ...line, remoteAddress: '127.0.0.1', count: 1 },
    { ...line, remoteAddress: '127.0.0.1', count: 9_999, since: expect.any(String) },
  ]);
});

test('a name that no hub can have is answered and logged with the rule, cut and escaped', () => {
  const rule = '1 to 128 characters, letters, digits and underscores';
  expect(connect(`hub=a%0A${'x'.repeat(5000)}`)).toMatchObject({
    status: 400,
    body: expect.stringContaining(rule),
  });
  expect(edge.lines).toMatchObject([
    {
      msg: 'app server refused',
      reason: 'hub_name',
      hub: expect.stringMatching(/^a\\u\{a\}x{100,200}…$/),
      rule: expect.stringContaining(rule),
    },
  ]);
});
