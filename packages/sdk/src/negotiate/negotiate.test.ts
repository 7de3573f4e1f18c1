import { createServer as createHttpServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import connect from 'connect';
import express from 'express';
import fastify from 'fastify';
import type { FastifyRequest } from 'fastify';
import { Hono } from 'hono';
import { beforeEach, describe, expect, test } from 'vitest';

import type { Claims } from '@trunkline/tokens';

import { TEST_KEY } from '../fake-service.test-support.ts';
import { atEnd, fakeService, Log, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { createServer } from '../server.ts';
import type { Server } from '../server.ts';

class Chat extends Hub {}

async function listen(listener: RequestListener): Promise<string> {
  const http = createHttpServer(listener);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => http.close(resolve)));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

/** Serves web requests, as runtimes do that have them. */
function listenWeb(handler: (request: Request) => Response | Promise<Response>): Promise<string> {
  return listen((request, response) => {
    const { method = '', url, headers } = request;
    const body = method === 'POST' ? { body: Readable.toWeb(request), duplex: 'half' } : {};
    const init = { method, headers: headers as Record<string, string>, ...body } as RequestInit;
    void Promise.resolve(handler(new Request(`http://${headers.host}${url}`, init))).then(
      async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(Buffer.from(await answer.arrayBuffer()));
      },
    );
  });
}

const user = (headers: NodeJS.Dict<string | string[]>) => headers['x-user'] as string | undefined;

/** Of whoever asks. */
let claims: Claims = {};
beforeEach(() => (claims = { role: ['a', 'b'] }));

/** An app of each kind over one server, with a route of its own. */
const apps: Record<string, (server: Server) => Promise<string>> = {
  node: (server) => {
    const handler = server.node({
      userId: (request) => user(request.headers),
      claims: async () => claims,
    });
    return listen((request, response) => {
      if (request.url === '/own') response.end('own');
      else void handler(request, response);
    });
  },
  express: (server) => {
    const app = express();
    app.use(
      server.express({
        userId: async (request) => user(request.headers),
        claims: () => claims,
      }),
    );
    app.get('/own', (_request, response) => void response.end('own'));
    return listen(app as RequestListener);
  },
  connect: (server) => {
    const app = connect();
    app.use(
      server.express({
        userId: (request) => user(request.headers),
        claims: () => claims,
      }),
    );
    app.use('/own', (_request, response) => response.end('own'));
    return listen(app);
  },
  hono: (server) => {
    const app = new Hono();
    const negotiate = server.web({
      userId: async (request) => request.headers.get('x-user') ?? undefined,
      claims: () => claims,
    });
    app.get('/own', (c) => c.text('own'));
    app.all('/*', (c) => negotiate(c.req.raw));
    return listenWeb((request) => app.fetch(request));
  },
  fastify: async (server) => {
    const app = fastify();
    await app.register(
      server.fastify({
        userId: (request: FastifyRequest) => user(request.headers),
        claims: () => claims,
      }),
    );
    app.get('/own', () => 'own');
    atEnd(() => app.close());
    return app.listen({ port: 0, host: '127.0.0.1' });
  },
};

const post = (url: string, headers: Record<string, string> = {}, body = '') =>
  fetch(url, { method: 'POST', headers, body });

function claimsOf(token: string) {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object;
}

describe.each(Object.keys(apps))('%s', (kind) => {
  const app = (server: Server) => apps[kind]!(server);

  test('answers negotiate with a redirect, whatever the body', async () => {
    const { server, service } = await serve(Chat);
    const base = await app(server);
    const headers = { 'x-user': 'alice', 'content-type': 'application/json' };
    for (const body of ['', '{"junk":']) {
      const response = await post(
        `${base}/chat/negotiate?negotiateVersion=1&foo=b%20r`,
        headers,
        body,
      );
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      const answer = (await response.json()) as { url: string; accessToken: string };
      expect(Object.keys(answer)).toEqual([
        'negotiateVersion',
        'url',
        'accessToken',
        'availableTransports',
      ]);
      const endpoint = service.connectionString.replace(/^Endpoint=(.*);Port=(\d+);.*$/, '$1:$2');
      expect(answer.url).toMatch(
        `${endpoint}/client/?hub=chat&asrs.op=%2Fchat&negotiateVersion=1&foo=b%20r&asrs_request_id=`,
      );
      expect(claimsOf(answer.accessToken)).toMatchObject({
        'asrs.s.uid': 'alice',
        role: ['a', 'b'],
        aud: 'http://127.0.0.1/client/?hub=chat',
      });
    }
  });

  test('leaves the rest to others', async () => {
    const { server } = await serve(Chat);
    const base = await app(server);
    expect(await (await fetch(`${base}/own`)).text()).toBe('own');
    expect((await post(`${base}/other/negotiate`)).status).toBe(404);
    expect((await fetch(`${base}/chat/negotiate`)).status).toBe(404);
    expect((await post(`${base}/chat`)).status).toBe(404);
  });

  test('compares paths ignoring case, and says the mapped one to the service', async () => {
    const service = await fakeService();
    const { connectionString } = service;
    const server = createServer({ connectionString, connectionCount: 1, logger: new Log() });
    atEnd(() => server.stop({ timeout: 0 }));
    server.hub('/api/v1.0/Live-Board', Chat, { hub: 'board' });
    expect(() => server.hub('/API/V1.0/live-board', Chat, { hub: 'b' })).toThrow(/mapped twice/);
    await server.start();
    const base = await app(server);
    for (const path of ['/api/v1.0/Live-Board', '/API/v1.0/live-board', '/Api/V1.0/LIVE-BOARD']) {
      for (const negotiate of ['negotiate', 'Negotiate']) {
        const response = await post(`${base}${path}/${negotiate}?a=B`);
        expect([path, response.status]).toEqual([path, 200]);
        const { url } = (await response.json()) as { url: string };
        expect(url).toContain('/client/?hub=board&asrs.op=%2Fapi%2Fv1.0%2FLive-Board&a=B&');
      }
    }
    for (const path of [
      '/api/v1x0/Live-Board',
      '/api/v1.0/Live-Board/more',
      '/x/api/v1.0/live-board',
    ]) {
      expect([path, (await post(`${base}${path}/negotiate`)).status]).toEqual([path, 404]);
    }
  });

  test('answers 401 without a body, so that clients say what it is', async () => {
    const { server } = await serve(Chat, { authorize: () => false });
    const base = await app(server);
    const response = await post(`${base}/chat/negotiate`);
    expect([response.status, response.statusText]).toEqual([401, 'Unauthorized']);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.text()).toBe('');
    const client = new HubConnectionBuilder()
      .withUrl(`${base}/chat`)
      .configureLogging(LogLevel.None)
      .build();
    await expect(client.start()).rejects.toThrow(/: Error: Unauthorized: Status code '401'$/);
  });

  test('answers 503 with Retry-After while there is no server connection', async () => {
    const connectionString = `Endpoint=http://127.0.0.1;Port=1;AccessKey=${TEST_KEY};Version=1.0;`;
    const server = createServer({ connectionString });
    server.hub('/chat', Chat);
    const response = await post(`${await app(server)}/chat/negotiate`);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('answers 413 for a token that is too long', async () => {
    const { server } = await serve(Chat);
    const headers = { 'x-user': 'x'.repeat(5000) };
    const response = await post(`${await app(server)}/chat/negotiate`, headers);
    expect(response.status).toBe(413);
    expect(await response.text()).toBe('AccessToken must not be longer than 4K.');
  });

  test.each([null, new Date(0), NaN, { secret: 1 }])(
    'answers 500 for a claim of %o, and says why in the log alone',
    async (value) => {
      const { server, log } = await serve(Chat);
      const base = await app(server);
      claims = { ok: 'yes', plan: value as never };
      const response = await post(`${base}/chat/negotiate`);
      expect([response.status, await response.text()]).toEqual([500, 'Negotiate failed.']);
      expect(log.lines).toEqual([
        expect.stringMatching(/^\/chat\/negotiate failed: claim 'plan' must be a string, a finite/),
      ]);
      claims = { plan: undefined, role: 'a' };
      expect((await post(`${base}/chat/negotiate`)).status).toBe(200);
    },
  );
});

test.each(['node', 'express'] as const)('%s: an app may answer before it', async (kind) => {
  const { server } = await serve(Chat);
  let tell = (_user: string) => {};
  const userId = () => new Promise<string>((resolve) => void (tell = resolve));
  const refusals: unknown[] = [];
  let answered: Promise<unknown> | undefined;
  const url = await listen((request, response) => {
    const next = (error: unknown) => void refusals.push(error);
    const handled = server[kind]({ userId })(request, response, next);
    answered = Promise.resolve(handled);
    response.writeHead(503).end();
  });
  expect((await post(`${url}/chat/negotiate`)).status).toBe(503);
  tell('ada');
  await answered;
  await new Promise(setImmediate);
  expect(refusals).toEqual([]);
});

test('tells the service how long and by which transports a client may be there', async () => {
  const { server } = await serve(Chat);
  const handler = server.node({
    expiresAt: async () => new Date('2031-01-02T03:04:05.678Z'),
    transports: ['ServerSentEvents', 'LongPolling'],
    maxPollIntervalSeconds: 30,
  });
  const base = await listen((request, response) => void handler(request, response));
  const response = await post(`${base}/chat/negotiate`);
  const { accessToken } = (await response.json()) as { accessToken: string };
  expect(claimsOf(accessToken)).toMatchObject({
    'asrs.s.coae': 'true',
    'asrs.s.aeo': '1925089445',
    'asrs.s.htt': '6',
    'asrs.s.ttl': '30',
  });
});

const handlers: Record<string, (server: Server, userId: () => string) => Promise<string>> = {
  node: (server, userId) => {
    const handler = server.node({ userId });
    return listen((request, response) => void handler(request, response));
  },
  web: (server, userId) => listenWeb(server.web({ userId })),
};

test.each(Object.keys(handlers))(
  "%s answers an app's error with its status code, and 500 without one",
  async (kind) => {
    const { server, log } = await serve(Chat);
    const errors = [
      Object.assign(new Error('sign in'), { statusCode: 401 }),
      new Error('secret'),
      Object.assign(new Error('odd'), { statusCode: 200 }),
    ];
    const base = await handlers[kind]!(server, () => {
      throw errors.shift();
    });
    const first = await post(`${base}/chat/negotiate`);
    expect([first.status, await first.text()]).toEqual([401, 'sign in']);
    expect(log.lines).toEqual([]);
    for (const why of ['secret', 'odd']) {
      const other = await post(`${base}/chat/negotiate`);
      expect([other.status, await other.text()]).toEqual([500, 'Negotiate failed.']);
      expect(log.lines.at(-1)).toContain(why);
    }
  },
);
