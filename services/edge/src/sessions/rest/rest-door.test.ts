import { AckStatus } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { answerOf, TIMED_OUT, TOO_MANY } from '../../model/asker.ts';
import type { Answer } from '../../model/asker.ts';
import type { FakeExchange } from '../fake-exchange.test-support.ts';
import type { FakeClient } from '../fixtures.test-support.ts';
import { counted, TestEdge, turn } from '../fixtures.test-support.ts';
import { ALONE } from '../others.ts';
import { beginCall, errorOf, restCall } from './rest-call.test-support.ts';

const SEND = 'POST /api/hubs/chat/:send';
const body = '{"target":"say","arguments":[]}';

let edge: TestEdge;
let client: FakeClient;

beforeEach(async () => {
  edge = new TestEdge();
  client = await edge.client(await edge.server(), { userId: 'ann' });
});

describe('a call', () => {
  test('may have a URI of 12 KB, and headers of 16 KB', () => {
    const uri = (bytes: number): string =>
      `${SEND}?${'x'.repeat(bytes - '/api/hubs/chat/:send?'.length)}`;
    expect(restCall(edge, uri(12 * 1024), { body }).status).toBe(202);
    expect(errorOf(restCall(edge, uri(12 * 1024 + 1)))).toEqual([
      414,
      'Error.Request.Invalid',
      'The URI is longer than 12 KB.',
    ]);
    const headers = (bytes: number) => ({ headers: { a: 'x'.repeat(bytes), b: '' }, body });
    expect(restCall(edge, SEND, headers(14 * 1024)).status).toBe(202);
    expect(errorOf(restCall(edge, SEND, headers(16 * 1024)))).toEqual([
      431,
      'Error.Request.Invalid',
      'The headers are longer than 16 KB.',
    ]);
  });

  test('for one hub more than there may be is to come again', () => {
    edge = new TestEdge({ hubs: 1 });
    expect(restCall(edge, SEND, { body }).status).toBe(202);
    const refused = restCall(edge, SEND.replace('chat', 'other'), { body });
    expect(errorOf(refused)).toEqual([503, 'Error.Request.Unknown', expect.any(String)]);
    expect(refused.answered!.headers).toMatchObject({ 'retry-after': '1' });
  });

  test('whose body is not read is told why, as an error of the API', () => {
    const { post } = beginCall(edge, SEND);
    expect(post).toMatchObject({ client: '', owner: 'chat' });
    const headers = { 'retry-after': '1' };
    expect(post!.refused!({ status: 503, headers })).toMatchObject({
      status: 503,
      headers: { ...headers, 'x-ms-error-code': 'Error.Request.Invalid' },
      body: '{"code":"Error.Request.Invalid","message":"Too many bodies are being read."}',
    });
    const long = beginCall(edge, SEND).post!;
    expect(long.refused!({ status: 413, body: 'too long' })).toMatchObject({
      status: 413,
      headers: { 'x-ms-request-id': expect.stringMatching(/^[\da-f]{16}$/) },
      body: '{"code":"Error.Request.Invalid","message":"too long"}',
    });
    expect(counted(edge.context.counters.restRequests)).toEqual({
      'sendToAll|4xx': 1,
      'sendToAll|5xx': 1,
    });
  });

  test('is counted by its operation and how it went', () => {
    restCall(edge, SEND, { body });
    restCall(edge, SEND, { body: 'none' });
    restCall(edge, 'HEAD /api/hubs/chat/users/ben');
    expect(counted(edge.context.counters.restRequests)).toEqual({
      'sendToAll|2xx': 1,
      'sendToAll|4xx': 1,
      'userExists|4xx': 1,
    });
  });
});

describe('an item of a stream', () => {
  test.each([
    ['', false],
    ['?completed=false', false],
    ['?completed=true', true],
    ['?completed=True', true],
  ])('with "%s" is the last: %s', (query, isLast) => {
    const what = `POST /api/hubs/chat/connections/${client.id}/streams/7/:send${query}`;
    expect(restCall(edge, what, { body: '1' }).status).toBe(202);
    const end = '{"type":3,"invocationId":"7"}␞';
    expect(client.heard.join('')).toBe(
      `{"type":2,"invocationId":"7","item":1}␞${isLast ? end : ''}`,
    );
  });
});

describe('an access token', () => {
  const tokenOf = (exchange: FakeExchange): Record<string, unknown> => {
    const { token } = JSON.parse(exchange.body) as { token: string };
    const [, payload] = token.split('.', 2);
    return JSON.parse(Buffer.from(payload!, 'base64url').toString()) as Record<string, unknown>;
  };

  test('is good for an hour, for the hub, by the URL that its caller knows', () => {
    const claims = tokenOf(restCall(edge, 'POST /api/hubs/chat/:generateToken?userId=ann'));
    expect(claims).toMatchObject({ 'asrs.s.uid': 'ann', aud: 'http://edge/client/?hub=chat' });
    expect(Number(claims['exp']) - edge.time.unixSeconds()).toBe(3600);
    const proxied = restCall(edge, 'POST /api/hubs/chat/:generateToken?userId=', {
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'out.example' },
      remoteAddress: '10.0.0.1',
    });
    expect(tokenOf(proxied)).toMatchObject({ aud: 'https://out.example/client/?hub=chat' });
    expect(tokenOf(proxied)).not.toHaveProperty(['asrs.s.uid']);
  });

  test('that would be too long is not made', () => {
    const what = `POST /api/hubs/chat/:generateToken?userId=${'x'.repeat(4096)}`;
    expect(errorOf(restCall(edge, what))).toEqual([
      400,
      'Error.Request.Invalid',
      'AccessToken must not be longer than 4K.',
    ]);
  });
});

describe('a parameter', () => {
  const wrong = (what: string, body = ''): unknown =>
    errorOf(restCall(edge, what.replace('…', '/api/hubs/chat'), { body }))[2];
  const notOne = "Invalid value of 'ttl': it is an integer from 0 on.";

  test.each([
    ['a number of 32 bits', 'PUT …/users/u/groups/g?ttl=2147483648', notOne],
    ['a number of eleven digits', 'PUT …/users/u/groups/g?ttl=00000000001', notOne],
    ['half a number', 'PUT …/users/u/groups/g?ttl=x1', notOne],
    ['no number', 'PUT …/users/u/groups/g?ttl=', notOne],
    ['a blank group', 'GET …/groups/%20', 'Invalid group: it has 1 to 1024 characters.'],
    [
      'a long user',
      `GET …/users/${'u'.repeat(1025)}`,
      'Invalid user: it has 1 to 1024 characters.',
    ],
    [
      'a long stream',
      `POST …/connections/c/streams/${'s'.repeat(101)}/:complete`,
      'Invalid streamId: it has 1 to 100 characters.',
    ],
    [
      'a large page',
      'GET …/groups/g/connections?maxpagesize=201',
      "Invalid value of 'maxpagesize': it is 200 at most.",
    ],
    [
      'a token of elsewhere',
      'GET …/groups/g/connections?continuationToken=x',
      'This continuation token is none of this service.',
    ],
    [
      'a cursor of elsewhere',
      'GET /api/x/hubs/chat/connections?cursor=x',
      'This cursor is none of this service.',
    ],
    [
      'an application that is none',
      'POST …/:closeConnections?application=1',
      "Invalid value of 'application'.",
    ],
  ])('is wrong: %s', (_name, what, why) => expect(wrong(what)).toBe(why));

  test.each([
    ['a number of 31 bits', 'PUT /api/hubs/chat/users/u/groups/g?ttl=2147483647', 200],
    ['its name in capitals', 'PUT /api/hubs/chat/users/u/groups/g?TTL=0', 200],
    ['a blank user', 'GET /api/hubs/chat/users/%20', 404],
    ['a blank connection', 'GET /api/hubs/chat/connections/%20', 404],
    ['a user of 1024 characters', `GET /api/hubs/chat/users/${'u'.repeat(1024)}`, 404],
    [
      'a stream of 100',
      `POST /api/hubs/chat/connections/c/streams/${'s'.repeat(100)}/:complete`,
      202,
    ],
  ])('may be %s', (_name, what, status) => expect(restCall(edge, what).status).toBe(status));

  test.each([
    [
      'arguments that are no array',
      'POST …/:send',
      '{"target":"say","arguments":{}}',
      "'arguments' is an array.",
    ],
    [
      'arguments in arguments',
      'POST …/:send',
      `{"target":"say","arguments":${'['.repeat(200)}${']'.repeat(200)}}`,
      'Its values nest too deeply.',
    ],
    ['no object', 'POST …/connections/claims', '[]', 'The body is a JSON object.'],
    [
      'no connection token',
      'POST …/connections/claims',
      '{"connectionToken":""}',
      "'connectionToken' is required.",
    ],
    [
      'half a claim',
      'POST …/connections/:refreshAuth',
      '{"connectionToken":"x","claims":[{"type":"a"}]}',
      "'claims' is an array of {type, value}.",
    ],
    ['no commands', 'POST …/:execute', '{}', 'The body is an array of commands.'],
    [
      '101 commands',
      'POST …/:execute',
      `[${'{"type":"CloseConnection"},'.repeat(100)}{"type":"CloseConnection"}]`,
      'There are 100 commands at most.',
    ],
    [
      'a command that is none',
      'POST …/:execute',
      '[{"type":"Dance"}]',
      'The type of a command is SendMessage, JoinGroup, LeaveGroup or CloseConnection.',
    ],
  ])('of a body is wrong: %s', (_name, what, body, why) => expect(wrong(what, body)).toBe(why));

  test('of a body may be a hundred commands', () => {
    const commands = `[${'{"type":"LeaveGroup","group":"g"},'.repeat(99)}{"type":"CloseConnection"}]`;
    expect(restCall(edge, 'POST /api/hubs/chat/:execute', { body: commands }).status).toBe(202);
  });

  test('of another content type is told which there are', () => {
    const exchange = restCall(edge, SEND, { body, headers: { 'content-type': 'text/plain' } });
    expect(errorOf(exchange)).toEqual([
      415,
      'Error.Request.Invalid',
      'The content type is application/json, application/x-msgpack or application/octet-stream.',
    ]);
  });
});

describe('a list of connections', () => {
  interface Page {
    readonly value: readonly { readonly connectionId: string }[];
    readonly nextLink?: string;
  }

  /** The addresses of all its pages but the first, what tokens say left out, and who is on them. */
  function pagesOf(first: string): { links: string[]; ids: string[] } {
    const links: string[] = [];
    const ids: string[] = [];
    for (let at: string | undefined = first; at !== undefined;) {
      const { value, nextLink }: Page = JSON.parse(restCall(edge, `GET ${at}`).body) as Page;
      ids.push(...value.map(({ connectionId }) => connectionId));
      at = nextLink?.replace('http://edge', '');
      if (nextLink !== undefined) links.push(nextLink.replace(/(?<=(?:Token|cursor)=)[^&]+/, '…'));
    }
    return { links, ids };
  }

  beforeEach(async () => {
    const server = edge.servers[0]!;
    for (let i = 0; i < 3; i++) await edge.client(server, { userId: 'ann' });
    restCall(edge, 'PUT /api/hubs/chat/users/ann/groups/g');
  });

  test('of a group leads to the next with what is left of its top, and keeps what else was said', () => {
    const path = '/api/hubs/chat/groups/g/connections';
    const { links, ids } = pagesOf(`${path}?Top=3&&maxPageSize=1&api-version=2024-12-01`);
    const kept = `http://edge${path}?maxPageSize=1&api-version=2024-12-01`;
    expect(links).toEqual([
      `${kept}&top=2&continuationToken=…`,
      `${kept}&top=1&continuationToken=…`,
    ]);
    expect(new Set(ids).size).toBe(3);
    expect(pagesOf(`${path}?maxpagesize=3`).links).toEqual([
      `http://edge${path}?maxpagesize=3&continuationToken=…`,
    ]);
    expect(pagesOf(`${path}?top=0`)).toEqual({ links: [], ids: [] });
  });

  test('of a user leads to the next by a cursor', () => {
    const path = '/api/x/hubs/chat/users/ann/connections';
    const { links, ids } = pagesOf(`${path}?top=2&Cursor=`);
    expect(links).toEqual([`http://edge${path}?top=2&cursor=…`]);
    expect(new Set(ids).size).toBe(4);
  });
});

test.each([[2026], ['soon'], [{}]])('a sign-in that ends at %j is none', (expireTime) => {
  const what = 'POST /api/hubs/chat/connections/:refreshAuth';
  const text = JSON.stringify({ connectionToken: 'x', expireTime });
  expect(errorOf(restCall(edge, what, { body: text }))).toEqual([
    400,
    'Error.Request.Invalid',
    "'expireTime' is a time such as 2026-07-01T12:00:00Z.",
  ]);
});

describe('where another edge', () => {
  /** Asked, it says this. */
  function answers(answer: Answer): void {
    edge = new TestEdge();
    const others = {
      ...ALONE,
      edges: ['edge-2'],
      hasClients: true,
      ask: (...[, , , asker]: Parameters<typeof ALONE.ask>) => {
        asker.settle(answer);
        return () => {};
      },
    };
    edge.hubs.join({ othersOf: () => others, follow() {}, unfollow() {} });
  }

  const calls = [
    'GET /api/x/hubs/chat/count',
    'GET /api/x/hubs/chat/connections',
    'GET /api/hubs/chat/groups/g/connections',
    'GET /api/hubs/chat/groups/g',
    'DELETE /api/hubs/chat/users/ann/groups',
    'POST /api/hubs/chat/:closeConnections',
  ];

  test.each(calls)('does not answer in time, nobody knows: %s', async (what) => {
    answers(TIMED_OUT);
    const exchange = restCall(edge, what);
    await turn();
    expect(errorOf(exchange)).toEqual([500, 'Error.Request.Unknown', TIMED_OUT.message]);
  });

  test.each(['claims', ':refreshAuth'])('does not, nobody knows of a sign-in: %s', (what) => {
    answers(TIMED_OUT);
    const exchange = restCall(edge, `POST /api/hubs/chat/connections/${what}`, {
      body: '{"connectionToken":"x"}',
    });
    expect(errorOf(exchange)).toEqual([500, 'Error.Request.Unknown', TIMED_OUT.message]);
  });

  test.each(['claims', ':refreshAuth'])('could not be asked, it may be again: %s', (what) => {
    answers(TOO_MANY);
    const exchange = restCall(edge, `POST /api/hubs/chat/connections/${what}`, {
      body: '{"connectionToken":"x"}',
    });
    expect(errorOf(exchange)).toEqual([503, 'Error.Request.Unknown', TOO_MANY.message]);
    expect(exchange.answered!.headers).toMatchObject({ 'retry-after': '1' });
  });

  // Here they have been done: whether to do them again is for the caller to decide.
  test.each([TIMED_OUT, answerOf(AckStatus.InternalServerError, 'no room')])(
    'cannot do commands by a filter, nobody knows: %j',
    (answer) => {
      answers(answer);
      const exchange = restCall(edge, 'POST /api/hubs/chat/:execute', {
        body: '[{"type":"CloseConnection"}]',
      });
      expect(errorOf(exchange)).toEqual([500, 'Error.Request.Unknown', answer.message]);
      expect(exchange.answered!.headers).not.toHaveProperty('retry-after');
    },
  );

  test.each(calls)('cannot, the call is to come again: %s', async (what) => {
    answers(answerOf(AckStatus.InternalServerError, 'no room'));
    const exchange = restCall(edge, what);
    // Lists ask this edge first, and the others in a turn of their own.
    await turn();
    expect(errorOf(exchange)).toEqual([503, 'Error.Request.Unknown', 'no room']);
    expect(exchange.answered!.headers).toMatchObject({ 'retry-after': '1' });
  });
});
