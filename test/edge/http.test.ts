import { startEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RawSocket } from './support/raw-socket.ts';
import { userToken } from './support/tokens.ts';

const ORIGIN = 'https://app.example.com';
let edge: Awaited<ReturnType<typeof startEdge>>;
let choosy: Awaited<ReturnType<typeof startEdge>>;

beforeAll(async () => {
  edge = await startEdge();
  choosy = await startEdge({
    env: { TRUNKLINE_ALLOWED_ORIGINS: `${ORIGIN}, https://b.example.com` },
  });
});
afterAll(async () => {
  await edge.stop();
  await choosy.stop();
});

interface Negotiate {
  negotiateVersion: number;
  connectionId: string;
  connectionToken: string;
  availableTransports: { transport: string; transferFormats: string[] }[];
}

function negotiate(
  query: string,
  headers: Record<string, string> = {},
  url = edge.url,
): Promise<Response> {
  return fetch(`${url}/client/negotiate?${query}`, { method: 'POST', headers });
}

const authorized = (userId?: string): Record<string, string> => ({
  authorization: `Bearer ${userToken('chat', userId)}`,
});

async function answerTo(query: string, userId?: string): Promise<Negotiate> {
  const response = await negotiate(query, authorized(userId));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  return (await response.json()) as Negotiate;
}

describe('health', () => {
  it.each(['/api/health', '/api/v1/health'])('answers anybody at %s', async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(edge.url + path, { method });
      expect(response.status).toBe(200);
    }
  });
});

describe('paths that lead nowhere', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/chat/negotiate'],
    ['POST', '/chat/negotiate'],
    ['GET', '/client/negotiate?hub=chat'],
    ['PUT', '/client/negotiate?hub=chat'],
    ['POST', '/server/?hub=chat'],
    ['GET', '/server/?hub=chat'],
    ['GET', '/metrics'],
    ['GET', '/client/../../etc/passwd'],
    ['GET', '/%00'],
    ['FROB', '/client/negotiate'],
  ])('%s %s is 404', async (method, path) => {
    using socket = new RawSocket(edge.url);
    socket.request(method, path, {
      'Content-Length': '0',
      Authorization: authorized()['authorization']!,
    });
    expect((await socket.answer()).status).toBe('HTTP/1.1 404 Not Found');
  });
});

describe('negotiate', () => {
  it('answers version 1 with an id and a token of its own', async () => {
    const answer = await answerTo('hub=chat&negotiateVersion=1');
    expect(Object.keys(answer).sort()).toEqual([
      'availableTransports',
      'connectionId',
      'connectionToken',
      'negotiateVersion',
    ]);
    expect(answer.negotiateVersion).toBe(1);
    expect(answer.connectionId).toMatch(/^[\w-]{20}$/);
    expect(answer.connectionToken).toMatch(/^[\w.~-]+$/);
    expect(answer.connectionToken).not.toBe(answer.connectionId);
    expect(answer.availableTransports).toContainEqual({
      transport: 'WebSockets',
      transferFormats: ['Text', 'Binary'],
    });
  });

  it.each(['hub=chat', 'hub=chat&negotiateVersion=0'])('answers version 0 to %s', async (query) => {
    const answer = await answerTo(query);
    expect(Object.keys(answer).sort()).toEqual([
      'availableTransports',
      'connectionId',
      'negotiateVersion',
    ]);
    expect(answer.negotiateVersion).toBe(0);
  });

  it.each([
    ['hub=chat&negotiateVersion=7', 1],
    ['hub=chat&NEGOTIATEVERSION=1', 1],
  ])('reads the version of %s', async (query, version) => {
    expect((await answerTo(query)).negotiateVersion).toBe(version);
  });

  it('says what is wrong with a version as other servers do', async () => {
    const answer = await answerTo('hub=chat&negotiateVersion=one');
    expect(answer).toEqual({ error: 'The client requested a non-integer protocol version.' });
  });

  it('never gives out an id twice', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => answerTo('hub=chat&negotiateVersion=1')),
    );
    expect(new Set(answers.map((answer) => answer.connectionId)).size).toBe(100);
    expect(new Set(answers.map((answer) => answer.connectionToken)).size).toBe(100);
  });

  it('passes over a body', async () => {
    const response = await fetch(`${edge.url}/client/negotiate?hub=chat&negotiateVersion=1`, {
      method: 'POST',
      headers: authorized(),
      body: 'x'.repeat(100_000),
    });
    expect(response.status).toBe(200);
    await response.text();
    expect((await fetch(`${edge.url}/api/health`)).status).toBe(200);
  });
});

describe('connect', () => {
  async function connect(id: string | undefined, userId?: string, hub = 'chat'): Promise<string> {
    using socket = new RawSocket(edge.url);
    const query = id === undefined ? `hub=${hub}` : `hub=${hub}&id=${encodeURIComponent(id)}`;
    const headers = { Authorization: `Bearer ${userToken(hub, userId)}` };
    const { status, rest } = await socket.upgrade(`/client/?${query}`, headers);
    return `${status.slice('HTTP/1.1 '.length)} ${rest.toString()}`.trimEnd();
  }
  const OPEN = '101 Switching Protocols';
  const REFUSED = '404 Not Found No Connection with that ID';

  it('takes an id once', async () => {
    const { connectionToken } = await answerTo('hub=chat&negotiateVersion=1', 'ann');
    expect(await connect(connectionToken, 'ann')).toBe(OPEN);
    expect(await connect(connectionToken, 'ann')).toBe(REFUSED);
  });

  it('takes an id of version 0 once', async () => {
    const { connectionId } = await answerTo('hub=chat', 'ann');
    expect(await connect(connectionId, 'ann')).toBe(OPEN);
    expect(await connect(connectionId, 'ann')).toBe(REFUSED);
  });

  it.each([0, 1])('gives version %s to none but its user and hub', async (version) => {
    const answer = await answerTo(`hub=chat&negotiateVersion=${version}`, 'ann');
    const id = version === 0 ? answer.connectionId : answer.connectionToken;
    expect(await connect(id, 'eve')).toBe(REFUSED);
    expect(await connect(id)).toBe(REFUSED);
    expect(await connect(id, 'ann', 'chat2')).toBe(REFUSED);
    // Strangers who tried have not spoiled it for its owner.
    expect(await connect(id, 'ann')).toBe(OPEN);
  });

  it('does not take the public id where there is a token', async () => {
    const { connectionId, connectionToken } = await answerTo('hub=chat&negotiateVersion=1', 'ann');
    expect(await connect(connectionId, 'ann')).toBe(REFUSED);
    expect(await connect(connectionToken, 'ann')).toBe(OPEN);
  });

  it.each(['x', '.', '..', 'a.b.c', 'A'.repeat(20), `${'A'.repeat(20)}.z.${'A'.repeat(22)}`, '\0'])(
    'refuses the id %j',
    async (id) => {
      expect(await connect(id, 'ann')).toBe(REFUSED);
    },
  );

  it('takes no id at all, or an empty one', async () => {
    for (const id of [undefined, '']) expect(await connect(id, 'ann')).toBe(OPEN);
  });

  it('refuses what is too long for app servers to be told', async () => {
    using socket = new RawSocket(edge.url);
    const { status } = await socket.upgrade(`/client/?hub=chat&pad=${'x'.repeat(17_000)}`, {
      Authorization: authorized()['authorization']!,
    });
    expect(status).toBe('HTTP/1.1 431 Request Header Fields Too Large');
  });
});

describe('CORS', () => {
  const cors = (response: Response): Record<string, string | null> => ({
    origin: response.headers.get('access-control-allow-origin'),
    credentials: response.headers.get('access-control-allow-credentials'),
    vary: response.headers.get('vary'),
  });
  const ALLOWED = { origin: ORIGIN, credentials: 'true', vary: 'Origin' };

  it('names the origin, with credentials, on answers good and bad', async () => {
    const good = await negotiate('hub=chat', { origin: ORIGIN, ...authorized() });
    expect([good.status, cors(good)]).toEqual([200, ALLOWED]);
    const bad = await negotiate('hub=chat', { origin: ORIGIN });
    expect([bad.status, cors(bad)]).toEqual([401, ALLOWED]);
    const worse = await negotiate('', { origin: ORIGIN, ...authorized() });
    expect([worse.status, cors(worse)]).toEqual([400, ALLOWED]);
  });

  it('says nothing to who is of no origin', async () => {
    const response = await negotiate('hub=chat', authorized());
    expect(cors(response)).toEqual({ origin: null, credentials: null, vary: null });
  });

  it('answers a preflight with whatever is asked for', async () => {
    for (const path of ['/client/negotiate?hub=chat', '/client/?hub=chat&id=x']) {
      const response = await fetch(edge.url + path, {
        method: 'OPTIONS',
        headers: {
          origin: ORIGIN,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,x-requested-with,x-mine',
        },
      });
      expect([response.status, cors(response)]).toEqual([204, ALLOWED]);
      expect(response.headers.get('access-control-allow-methods')).toMatch(/GET, POST, DELETE/);
      expect(response.headers.get('access-control-allow-headers')).toBe(
        'authorization,x-requested-with,x-mine',
      );
    }
  });

  it('names only the origins of the setting', async () => {
    for (const origin of [ORIGIN, 'https://b.example.com']) {
      const response = await negotiate('hub=chat', { origin, ...authorized() }, choosy.url);
      expect(cors(response)).toEqual({ ...ALLOWED, origin });
    }
    for (const origin of ['https://evil.example.com', `${ORIGIN}.evil.com`, 'null']) {
      const response = await negotiate('hub=chat', { origin, ...authorized() }, choosy.url);
      expect(cors(response)).toEqual({ origin: null, credentials: null, vary: 'Origin' });
    }
  });
});
