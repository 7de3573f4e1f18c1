import { createServer as createHttpServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { RefreshAuth } from '@trunkline/protocol';
import { AckStatus, isNever, MessageType } from '@trunkline/protocol';
import express from 'express';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import type { FakeServerConnection } from '../fake-service.test-support.ts';
import { atEnd, fakeService, Log, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { Server } from '../server.ts';
import type { NegotiateOptions } from './options.ts';

const heard: unknown[] = [];

class Chat extends Hub {
  override onAuthenticationRefresh(): void {
    heard.push([this.context.connectionId, { ...this.context.claims }]);
  }
  roles(): unknown {
    return this.context.claims['role'];
  }
}

interface Asking {
  readonly headers: object;
}
const user = ({ headers }: Asking) =>
  (headers instanceof Headers
    ? headers.get('x-user')
    : (headers as Record<string, string>)['x-user']) ?? undefined;

const END = new Date(Math.floor(Date.now() / 1000) * 1000 + 600_500);
const options = {
  userId: user,
  claims: () => ({ role: ['writer', 'admin'] }),
  authenticationRefresh: true,
};

async function listen(listener: RequestListener): Promise<string> {
  const http = createHttpServer(listener);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => http.close(resolve)));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

type Given = NegotiateOptions<Asking>;

const apps: Record<string, (server: Server, given: Given) => Promise<string>> = {
  node: (server, given) =>
    listen((request, response) => void server.node(given)(request, response)),
  express: (server, given) => {
    const app = express();
    app.use(server.express(given));
    return listen(app as RequestListener);
  },
  fastify: async (server, given) => {
    const app = fastify();
    await app.register(server.fastify(given));
    atEnd(() => app.close());
    return app.listen({ port: 0, host: '127.0.0.1' });
  },
  web: (server, given) => {
    const handler = server.web(given);
    return listen((request, response) => {
      const { method = '', url, headers } = request;
      const init = { method, headers: headers as Record<string, string> };
      void handler(new Request(`http://${headers.host}${url}`, init)).then(async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
    });
  },
};

const TOKEN = { 'x-signalr-connection-token': 'tok' };
const ANN = { 'x-user': 'ann', ...TOKEN };

const refresh = (base: string, headers: Record<string, string> = ANN, query = '') =>
  fetch(`${base}/chat/refresh${query}`, { method: 'POST', headers });

/** Answers the next refresh with a status. */
async function confirm(trunk: FakeServerConnection, status: number, n = 0): Promise<RefreshAuth> {
  const message = await trunk.next(MessageType.RefreshAuth, n);
  trunk.send({ type: MessageType.Ack, ackId: message.ackId, status, message: '' });
  return message;
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

test.each(Object.keys(apps))(
  '%s serves several hubs, and no mixture of their paths',
  async (kind) => {
    const { connectionString } = await fakeService();
    const server = new Server({ connectionString, connectionCount: 1, logger: new Log() });
    atEnd(() => server.stop({ timeout: 0 }));
    server.hub('/one/chat', Chat);
    server.hub('/two/board', class Board extends Hub {});
    await server.start();
    const base = await apps[kind]!(server, options);
    const post = async (path: string) => (await fetch(`${base}${path}`, { method: 'POST' })).status;
    for (const path of ['/one/chat/negotiate', '/Two/BOARD/negotiate']) {
      expect(await post(path)).toBe(200);
    }
    expect(await post('/ONE/chat/refresh')).toBe(400);
    for (const path of ['/one/board/negotiate', '/One/Board/Refresh', '/one/chat']) {
      expect(await post(path)).toBe(404);
    }
  },
);

test('fastify serves them below a prefix', async () => {
  const { server } = await serve(Chat);
  const app = fastify();
  await app.register(server.fastify(options), { prefix: '/api' });
  atEnd(() => app.close());
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  for (const path of ['/api/chat/negotiate', '/api/Chat/Negotiate']) {
    expect((await fetch(`${base}${path}`, { method: 'POST' })).status).toBe(200);
  }
});

describe.each(Object.keys(apps))('%s', (kind) => {
  const start = async (given: Given = options) => {
    const harness = await serve(Chat);
    return { ...harness, base: await apps[kind]!(harness.server, given) };
  };

  test('gives a client a new token for the connection that it has', async () => {
    const { base, trunk } = await start();
    const answered = refresh(base);
    const message = await confirm(trunk, AckStatus.Ok);
    expect(message).toMatchObject({
      connectionToken: 'tok',
      claims: [
        ['asrs.s.uid', 'ann'],
        ['role', 'writer'],
        ['role', 'admin'],
      ],
    });
    expect(isNever(message.expireTime)).toBe(true);
    const response = await answered;
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = (await response.json()) as { accessToken: string; tokenLifetimeSeconds: number };
    expect(Object.keys(body)).toEqual(['accessToken', 'tokenLifetimeSeconds']);
    expect(body.tokenLifetimeSeconds).toBe(3600);
    const claims = claimsOf(body.accessToken);
    expect(claims).toMatchObject({ 'asrs.s.uid': 'ann', role: ['writer', 'admin'] });
    expect(claims['aud']).toBe('http://127.0.0.1/client/?hub=chat');
  });

  test('takes the token of the connection from the query, too', async () => {
    const { base, trunk } = await start();
    const answered = refresh(base, { 'x-user': 'ann' }, '?id=from%20query');
    expect(await confirm(trunk, AckStatus.Ok)).toMatchObject({ connectionToken: 'from query' });
    expect((await answered).status).toBe(200);
  });

  test('moves the end of the sign-in, and of the token', async () => {
    const { base, trunk } = await start({ ...options, expiresAt: () => END });
    const answered = refresh(base);
    const { expireTime, claims } = await confirm(trunk, AckStatus.Ok);
    const seconds = Math.floor(END.getTime() / 1000);
    expect(expireTime).toStrictEqual({ seconds, nanoseconds: 500_000_000 });
    expect(claims).toContainEqual(['asrs.s.aeo', String(seconds)]);
    const body = (await (await answered).json()) as { tokenLifetimeSeconds: number };
    expect(body.tokenLifetimeSeconds).toBeLessThanOrEqual(600);
    expect(body.tokenLifetimeSeconds).toBeGreaterThan(500);
  });

  test.each<[string, number, string, number]>([
    ['whose connection nobody has', AckStatus.NotFound, 'connection_not_found', 404],
    ['of another user', AckStatus.Forbidden, 'permission_change_rejected', 403],
    ['that the service cannot do', AckStatus.InternalServerError, 'internal_server_error', 500],
  ])('refuses one %s', async (_, ack, error, status) => {
    const { base, trunk } = await start();
    const answered = refresh(base);
    await confirm(trunk, ack);
    const response = await answered;
    expect([response.status, await response.text()]).toEqual([status, JSON.stringify({ error })]);
  });

  test.each<[string, Record<string, string>, Given, string, number]>([
    ['where it is off', ANN, { userId: user }, 'refresh_disabled', 404],
    ['without a connection', { 'x-user': 'ann' }, options, 'missing_connection_token', 400],
    ['of nobody', TOKEN, options, 'invalid_token', 401],
  ])('refuses one %s, and asks nobody', async (_, headers, given, error, status) => {
    const { base, trunk } = await start(given);
    const response = await refresh(base, headers);
    expect([response.status, await response.text()]).toEqual([status, JSON.stringify({ error })]);
    expect(trunk.ofType(MessageType.RefreshAuth)).toEqual([]);
  });

  test('is for posts alone', async () => {
    const { base } = await start();
    expect((await fetch(`${base}/chat/refresh`, { headers: ANN })).status).toBe(405);
  });

  test('is announced by negotiate to who is signed in', async () => {
    const { base } = await start({ ...options, expiresAt: () => END });
    const negotiate = async (headers: Record<string, string>) => {
      const response = await fetch(`${base}/chat/negotiate`, { method: 'POST', headers });
      return (await response.json()) as Record<string, unknown>;
    };
    expect((await negotiate(ANN))['tokenLifetimeSeconds']).toBeGreaterThan(500);
    expect(await negotiate({})).not.toHaveProperty('tokenLifetimeSeconds');
    const off = await start({ userId: user });
    const response = await fetch(`${off.base}/chat/negotiate`, { method: 'POST', headers: ANN });
    expect(await response.json()).not.toHaveProperty('tokenLifetimeSeconds');
  });
});

test('somebody whom the hub does not let in any more keeps nothing', async () => {
  const { server, trunk } = await serve(Chat, {
    authorize: ({ claims }) => claims['role'] !== 'banned',
  });
  const base = await apps['node']!(server, {
    ...options,
    claims: () => ({ role: 'banned' }),
  });
  const response = await refresh(base);
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual({ error: 'permission_change_rejected' });
  expect(trunk.ofType(MessageType.RefreshAuth)).toEqual([]);
});

test('new claims of a connection are what its hub sees from then on, and hears of', async () => {
  const { trunk } = await serve(Chat);
  const client = trunk.open({
    id: 'c1',
    claims: [
      ['asrs.s.uid', 'ann'],
      ['role', 'reader'],
    ],
  });
  client.call('roles');
  expect(await client.text(1)).toContain('"result":"reader"');
  const type = MessageType.UpdateConnectionClaims;
  const claims = [
    ['asrs.s.uid', 'ann'],
    ['role', 'writer'],
    ['asrs.s.aeo', '9'],
  ] as const;
  trunk.send({ type, connectionId: 'gone', claims }, { type, connectionId: 'c1', claims });
  client.call('roles', [], '2');
  expect(await client.text(2)).toContain('"result":"writer"');
  await until(() => heard.length > 0, 'the hook');
  expect(heard.splice(0)).toEqual([['c1', { role: 'writer' }]]);
});

test('a hook that throws is told to the log, and the connection stays', async () => {
  class Broken extends Hub {
    override onAuthenticationRefresh(): void {
      throw new Error('no');
    }
    hello(): string {
      return 'hello';
    }
  }
  const { trunk, log } = await serve(Broken);
  const client = trunk.open({ id: 'c1' });
  trunk.send({ type: MessageType.UpdateConnectionClaims, connectionId: 'c1', claims: [] });
  await until(() => log.lines.find((line) => line.includes('onAuthenticationRefresh')), 'a line');
  client.call('hello');
  expect(await client.text(1)).toContain('"result":"hello"');
});
