import jwt from 'jsonwebtoken';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import {
  AccessKeys,
  parseConnectionString,
  readClientClaims,
  verifyToken,
} from '@trunkline/tokens';
import { buildApp } from './app.ts';
import { Desk } from './desk.ts';
import type { Admission } from './options.ts';

const SECRET = 'the-secret-of-the-sign-in-page';
const connection = parseConnectionString(
  'Endpoint=http://edge.example;Port=8080;AccessKey=key;Version=1.0;',
);
const logger = createLogger({ name: 'negotiate', level: 'silent' });
const withSecret = { dev: false, secret: SECRET, audience: undefined, issuer: undefined } as const;

type App = Awaited<ReturnType<typeof buildApp>>;
const apps: App[] = [];

afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

interface StartOptions {
  readonly allowedOrigins?: readonly string[];
  readonly hubs?: ReadonlySet<string>;
  readonly desk?: Desk;
  readonly logger?: Logger;
}

async function start(admission: Admission, options: StartOptions = {}) {
  const { allowedOrigins = ['*'], hubs, desk = new Desk({ connection, admission }) } = options;
  const app = await buildApp({ hubs, allowedOrigins }, desk, options.logger ?? logger);
  apps.push(app);
  return app;
}

function userToken(claims: object, secret = SECRET, algorithm: jwt.Algorithm = 'HS256'): string {
  return jwt.sign({ exp: Math.floor(Date.now() / 1000) + 60, ...claims }, secret, { algorithm });
}

function post(app: App, url: string, headers: Record<string, string> = {}) {
  return app.inject({ method: 'POST', url, headers });
}

/** What the edge will read from the token of a redirect. */
function edgeToken(answer: { accessToken: string }, hub = 'chat') {
  const now = Math.floor(Date.now() / 1000);
  const keys = new AccessKeys(['key']);
  const verified = verifyToken(answer.accessToken, { keys, use: 'client', hub, now });
  if (typeof verified === 'string') throw new Error(verified);
  const claims = JSON.parse(verified.payload) as Record<string, unknown>;
  return { userId: readClientClaims(verified.payload).userId, claims };
}

describe('the redirect', () => {
  it('has the documented members, order and URL', async () => {
    const app = await start({ dev: true });
    const response = await post(app, '/Chat/negotiate?negotiateVersion=1&foo=b%20r&user=alice');
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toContain('application/json');
    expect(response.headers['cache-control']).toBe('no-store');
    const answer = response.json();
    expect(Object.keys(answer)).toEqual([
      'negotiateVersion',
      'url',
      'accessToken',
      'availableTransports',
    ]);
    expect(answer).toMatchObject({ negotiateVersion: 0, availableTransports: [] });
    expect(answer.url).toMatch(
      /^http:\/\/edge\.example:8080\/client\/\?hub=chat&asrs\.op=%2FChat&negotiateVersion=1&foo=b%20r&user=alice&asrs_request_id=[\w-]+$/,
    );
    expect(edgeToken(answer).userId).toBe('alice');
  });

  it('names nobody with --dev and no ?user=', async () => {
    const app = await start({ dev: true });
    const response = await post(app, '/chat/negotiate');
    expect(edgeToken(response.json()).userId).toBeUndefined();
  });

  it('does not hand the token of the query on', async () => {
    const app = await start(withSecret);
    const token = userToken({ sub: 'alice' });
    const response = await post(app, `/chat/negotiate?a=1&access_token=${token}&b=2`);
    expect(response.json().url).toMatch(/%2Fchat&a=1&b=2&asrs_request_id=/);
    expect(response.json().url).not.toContain('access_token');
  });

  it.each(['application/json', 'text/plain;charset=UTF-8', 'application/octet-stream'])(
    'does not mind a content type of %s, with or without a body',
    async (type) => {
      const app = await start({ dev: true });
      for (const payload of ['', '{broken']) {
        const headers = { 'content-type': type };
        const response = await app.inject({
          method: 'POST',
          url: '/chat/negotiate/',
          headers,
          payload,
        });
        expect(response.statusCode).toBe(200);
      }
    },
  );
});

describe('who may come in', () => {
  it.each(['HS256', 'HS384', 'HS512'] as const)('the bearer of an %s token', async (algorithm) => {
    const app = await start(withSecret);
    const authorization = `Bearer ${userToken({ sub: 'alice' }, SECRET, algorithm)}`;
    const response = await post(app, '/chat/negotiate?user=mallory', { authorization });
    expect(response.statusCode).toBe(200);
    expect(edgeToken(response.json()).userId).toBe('alice');
  });

  it.each([
    ['sub', { sub: 'a', nameid: 'b' }, 'a'],
    ['nameid', { nameid: 'b' }, 'b'],
    ['a number', { nameid: 7 }, '7'],
    ['nobody', { role: 'x' }, undefined],
  ])('as %s', async (_, claims, userId) => {
    const app = await start(withSecret);
    const authorization = `Bearer ${userToken(claims)}`;
    const response = await post(app, '/chat/negotiate', { authorization });
    expect(edgeToken(response.json()).userId).toBe(userId);
  });

  it('with the claims about the user, not those about the token', async () => {
    const app = await start(withSecret);
    const claims = {
      sub: 'a',
      roles: ['x', null, 'y'],
      address: { city: 'Z' },
      vip: true,
      nothing: null,
      'asrs.s.uid': 'root',
      iss: 'me',
      jti: '1',
    };
    const response = await post(app, '/chat/negotiate', {
      authorization: `Bearer ${userToken(claims)}`,
    });
    const { userId, claims: passed } = edgeToken(response.json());
    expect(userId).toBe('a');
    const names = ['nbf', 'exp', 'iat', 'aud'];
    expect(
      Object.fromEntries(Object.entries(passed).filter(([name]) => !names.includes(name))),
    ).toEqual({
      'asrs.s.uid': 'a',
      'asrs.u.sub': 'a',
      'asrs.u.roles': ['x', 'y'],
      role: ['x', 'y'],
      address: '{"city":"Z"}',
      vip: true,
    });
  });

  it.each([
    ['nothing', () => undefined],
    ['garbage', () => 'garbage'],
    ['another secret', () => userToken({ sub: 'a' }, 'another')],
    ['a token without an end', () => jwt.sign({ sub: 'a' }, SECRET)],
    ['an expired token', () => userToken({ sub: 'a', exp: 1 })],
    ['a token of the future', () => userToken({ sub: 'a', nbf: 9e9 })],
    ['alg none', () => jwt.sign({ sub: 'a' }, '', { algorithm: 'none' })],
    ['a payload that is a text', () => jwt.sign('text', SECRET)],
  ])('not %s', async (_, token) => {
    const app = await start(withSecret);
    const given = token();
    const inHeader = given === undefined ? {} : { authorization: `Bearer ${given}` };
    const inQuery = given === undefined ? '' : `?access_token=${given}`;
    for (const response of [
      await post(app, '/chat/negotiate?user=alice', inHeader),
      await post(app, `/chat/negotiate${inQuery}`),
    ]) {
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer');
      expect(response.json()).toEqual({
        error: 'sign in first: a valid bearer token with an exp is needed',
      });
    }
  });
});

describe('whose tokens count', () => {
  const strict = { ...withSecret, audience: 'our-apps', issuer: 'https://sign-in.example' };
  const right = { sub: 'a', aud: strict.audience, iss: strict.issuer };

  it.each([
    ['those of audience and issuer', right, 200],
    ['those of several audiences', { ...right, aud: ['others', strict.audience] }, 200],
    ['not those of another audience', { ...right, aud: 'others' }, 401],
    ['not those of none', { sub: 'a', iss: strict.issuer }, 401],
    ['not those of another issuer', { ...right, iss: 'https://elsewhere.example' }, 401],
    ['not those without issuer', { sub: 'a', aud: strict.audience }, 401],
  ])('%s', async (_, claims, status) => {
    const app = await start(strict);
    const authorization = `Bearer ${userToken(claims)}`;
    expect((await post(app, '/chat/negotiate', { authorization })).statusCode).toBe(status);
  });

  it('changes when the desk is given other secrets', async () => {
    const desk = new Desk({ connection, admission: withSecret });
    const app = await start(withSecret, { desk });
    const ask = (secret: string) =>
      post(app, '/chat/negotiate', { authorization: `Bearer ${userToken({ sub: 'a' }, secret)}` });
    const next = parseConnectionString('Endpoint=http://next.example;AccessKey=next;');
    desk.use({ connection: next, admission: { ...withSecret, secret: 'another' } });
    expect((await ask(SECRET)).statusCode).toBe(401);
    const answer = (await ask('another')).json();
    expect(answer.url).toMatch(/^http:\/\/next\.example\/client\//);
    expect(() => edgeToken(answer)).toThrow('signature');
  });
});

describe('hubs that are named', () => {
  const hubs = new Set(['chat', 'news']);

  it('are signed for, in any case', async () => {
    const app = await start({ dev: true }, { hubs });
    for (const hub of ['chat', 'Chat', 'NEWS']) {
      expect((await post(app, `/${hub}/negotiate`)).statusCode).toBe(200);
    }
  });

  it('are the only ones: the rule is said, and who asked for what is logged', async () => {
    const lines: string[] = [];
    const told = createLogger(
      { name: 'negotiate', level: 'info' },
      { write: (line) => void lines.push(line) },
    );
    const app = await start({ dev: true }, { hubs, logger: told });
    for (const hub of ['chats', 'cha', 'constructor']) {
      const response = await post(app, `/${hub}/negotiate`);
      expect(response.statusCode).toBe(404);
      expect(response.json()).toEqual({
        error: 'unknown hub: this service sends callers only to hubs that its --hubs names',
      });
    }
    await app.close();
    expect(JSON.parse(lines[0]!)).toMatchObject({
      msg: 'client refused',
      status: 404,
      hub: 'chats',
    });
  });
});

describe('refusals', () => {
  it.each(['1chat', 'cha-t', '%20', `a${'b'.repeat(128)}`, 'ch%2Fat', 'ch%C3%A4t'])(
    'has no hub called %s',
    async (hub) => {
      const app = await start({ dev: true });
      const response = await post(app, `/${hub}/negotiate`);
      expect(response.statusCode).toBe(404);
      expect(response.json()).toEqual({ error: 'not found' });
    },
  );

  it.each(['a', 'Chat`1[A,B]', `a${'b'.repeat(127)}`, 'x_y.z'])(
    'has a hub called %s',
    async (hub) => {
      const app = await start({ dev: true });
      const response = await post(app, `/${encodeURIComponent(hub)}/negotiate`);
      expect(response.statusCode).toBe(200);
      expect(edgeToken(response.json(), hub.toLowerCase()).userId).toBeUndefined();
    },
  );

  it('answers 414 to a hub name no hub can have', async () => {
    const app = await start({ dev: true });
    expect((await post(app, `/${'a'.repeat(500)}/negotiate`)).statusCode).toBe(414);
  });

  it('answers 404 anywhere else, 400 to a broken path', async () => {
    const app = await start({ dev: true });
    expect((await app.inject({ method: 'GET', url: '/chat/negotiate' })).statusCode).toBe(404);
    expect((await post(app, '/chat')).json()).toEqual({ error: 'not found' });
    const broken = await post(app, '/%zz/negotiate');
    expect(broken.statusCode).toBe(400);
    expect(broken.json()).toHaveProperty('error');
  });

  it('answers 413 when the claims make the token too long', async () => {
    const app = await start(withSecret);
    const authorization = `Bearer ${userToken({ sub: 'a', text: 'x'.repeat(4096) })}`;
    const response = await post(app, '/chat/negotiate', { authorization });
    expect(response.statusCode).toBe(413);
    expect(response.body).toBe('AccessToken must not be longer than 4K.');
  });

  it('answers 413 to a body over 16 KiB', async () => {
    const app = await start({ dev: true });
    const payload = 'x'.repeat(16 * 1024 + 1);
    const response = await app.inject({ method: 'POST', url: '/chat/negotiate', payload });
    expect(response.statusCode).toBe(413);
    expect(response.json()).toHaveProperty('error');
  });
});

describe('browsers', () => {
  const origin = 'https://app.example';

  it.each(['/chat/negotiate', '/nowhere/at/all', '/1/negotiate'])(
    'get their origin back with credentials at %s, whatever the status',
    async (url) => {
      const app = await start(withSecret);
      const { headers, statusCode } = await post(app, url, { origin });
      expect(statusCode).toBeGreaterThanOrEqual(401);
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
      });
      expect(headers.vary).toContain('Origin');
    },
  );

  it('get a preflight answer that allows what they ask for', async () => {
    const app = await start(withSecret);
    const response = await app.inject({
      method: 'OPTIONS',
      url: '/chat/negotiate?negotiateVersion=1',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-requested-with,x-signalr-user-agent',
      },
    });
    expect(response.statusCode).toBe(204);
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'authorization,x-requested-with,x-signalr-user-agent',
    });
    expect(response.headers['access-control-allow-methods']).toContain('POST');
  });

  it('of another origin get none when origins are listed', async () => {
    const app = await start({ dev: true }, { allowedOrigins: [origin] });
    const allowed = await post(app, '/chat/negotiate', { origin });
    expect(allowed.headers['access-control-allow-origin']).toBe(origin);
    const other = await post(app, '/chat/negotiate', { origin: 'https://evil.example' });
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

it.each(['GET', 'HEAD'] as const)('answers 200 to %s /api/health', async (method) => {
  const app = await start(withSecret);
  expect((await app.inject({ method, url: '/api/health' })).statusCode).toBe(200);
});
